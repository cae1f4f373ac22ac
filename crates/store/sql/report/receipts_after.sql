where webhook_receipts.id > $1 and webhook_receipts.kind <> 'OPERATOR'
order by webhook_receipts.id
limit $2
