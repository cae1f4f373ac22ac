select event_id, count(*) from webhook_receipts where account = $1 and event_id is not null group by event_id
