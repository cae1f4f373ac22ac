select 'one order' as of, count(*) as rows
from (select 1 from checkout_sessions where order_id <> '' group by order_id having count(*) > 1) doubled
having count(*) > 0
