where webhook_receipts.id > $1
order by webhook_receipts.id
limit $2
