insert into dual_write_gaps (id, target, account, tenant, subject_kind, subject_id, reason, detail, receipt_id, first_seen_at, last_seen_at)
select id, target, account, tenant, subject_kind, subject_id, reason, detail, receipt_id, now, now
from input where true
on conflict (target, account, tenant, subject_kind, subject_id) where repaired_at is null do update set
    reason = excluded.reason, detail = excluded.detail, receipt_id = excluded.receipt_id, last_seen_at = excluded.last_seen_at,
    seen = dual_write_gaps.seen + 1
