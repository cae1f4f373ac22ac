select 'but for case' as of, count(*) as rows
from (select 1 from customers where email <> '' group by lower(trim(email)) having count(distinct email) > 1) doubled
having count(*) > 0
