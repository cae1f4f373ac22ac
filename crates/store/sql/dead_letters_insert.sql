insert into dead_letters (id, delivery_id, gateway, account, reason, error, attempts, first_seen_at, last_seen_at, seen, body_bytes,
                          body_hash, head, body)
select id, delivery_id, gateway, account, reason, error, attempts, first_seen_at, now, seen, body_bytes, body_hash, head, body
from input where true
on conflict (delivery_id, body_hash) where state = 'OPEN' do update set
    last_seen_at = excluded.last_seen_at, seen = dead_letters.seen + excluded.seen, reason = excluded.reason,
    error = excluded.error, attempts = excluded.attempts
