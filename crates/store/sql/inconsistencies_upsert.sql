insert into inconsistencies (id, kind, fingerprint, account, entity, detail, seen, first_seen_at, last_seen_at)
select id, kind, fingerprint, account, entity, detail, seen, now, now
from input where true
on conflict (fingerprint) where resolved_at is null do update set
    last_seen_at = excluded.last_seen_at, seen = inconsistencies.seen + excluded.seen, detail = excluded.detail
