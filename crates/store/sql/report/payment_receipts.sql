select receipt.id, receipt.received_at, receipt.event_id, receipt.event_type, receipt.state,
       case when receipt.kind = 'ANSWER' then 'fetched' else receipt.proof end as proof, receipt.proved_by, receipt.notes,
       coalesce((select cast(sum(deliveries) as bigint) from webhook_dedupe where receipt_id = receipt.id and account = receipt.account
                 and dedupe_key = coalesce(receipt.event_id, 'content') and body_hash = receipt.body_hash), 1) as deliveries
from webhook_receipts receipt
where receipt.id in (select receipt_id from payment_facts where payment_id = $1)
order by receipt.received_at, receipt.id
