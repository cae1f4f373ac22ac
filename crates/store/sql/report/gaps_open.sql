select coalesce(sum(case when reason <> 'no_row' then 1 else 0 end), 0) as open,
       min(case when reason <> 'no_row' then first_seen_at end) as oldest,
       coalesce(sum(case when reason = 'no_row' then 1 else 0 end), 0) as waiting
from dual_write_gaps
where repaired_at is null and target = $1 and reason <> 'no_label'
