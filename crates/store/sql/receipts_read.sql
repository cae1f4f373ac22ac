where webhook_receipts.id in (select id from input)
order by webhook_receipts.id
