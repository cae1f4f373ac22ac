select 'two documents' as of, count(*) as rows
from (select 1 from customers where email <> '' and document <> '' group by lower(trim(email)) having count(distinct document) > 1) doubled
having count(*) > 0
