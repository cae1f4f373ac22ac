select id, target, account, tenant, subject_kind, subject_id, reason, detail, receipt_id, first_seen_at, last_seen_at, seen, repaired_at
from dual_write_gaps
where ($1 is null or target = $1)
  and ($2 is null or account = $2)
  and ($3 or repaired_at is null)
order by case when repaired_at is null then 0 else 1 end, first_seen_at, id
limit $4
