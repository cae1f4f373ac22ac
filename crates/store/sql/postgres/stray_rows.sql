select (select count(*) from (select from webhook_receipts_default limit 1000) receipt)
     + (select count(*) from (select from lifecycle_events_default limit 1000) event)
