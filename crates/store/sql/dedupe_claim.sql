insert into webhook_dedupe (account, dedupe_key, body_hash, receipt_id, first_seen_at, last_seen_at)
select account, dedupe_key, body_hash, id, now, now from input where true
on conflict do nothing
returning receipt_id
