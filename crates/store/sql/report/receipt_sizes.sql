select cast(length(body) as bigint)
from webhook_receipts
where id > $1
order by id
limit $2
