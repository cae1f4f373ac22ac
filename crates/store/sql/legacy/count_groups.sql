select 'one order' as of, count(*) as rows
from (select 1 from payment_transactions where provider_order_id is not null group by provider_order_id having count(*) > 1) doubled
having count(*) > 0
