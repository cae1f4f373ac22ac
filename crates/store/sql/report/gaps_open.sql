select count(*) as open, min(first_seen_at) as oldest
from dual_write_gaps
where repaired_at is null and target = $1 and reason <> 'no_label'
