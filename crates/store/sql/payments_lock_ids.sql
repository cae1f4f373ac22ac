select payments.*
from payments
where id in (select id from input)
order by payments.id
