select id, account, received_at, proof, proved_by, state, body_hash, body
from webhook_receipts
where id > $1 and kind = 'WEBHOOK'
order by id
limit $2
