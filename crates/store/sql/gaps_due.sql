select dual_write_gaps.id, dual_write_gaps.account, dual_write_gaps.tenant, dual_write_gaps.subject_kind, dual_write_gaps.subject_id
from input
join dual_write_gaps
  on dual_write_gaps.repaired_at is null and dual_write_gaps.target = input.target and dual_write_gaps.reason <> 'no_label'
-- For a row that is not there yet it is looked after as long again as it was waited for.
 and (dual_write_gaps.reason <> 'no_row'
      or (dual_write_gaps.last_seen_at < input.soon
          and input.now - dual_write_gaps.last_seen_at >= dual_write_gaps.last_seen_at - dual_write_gaps.first_seen_at))
order by dual_write_gaps.first_seen_at, dual_write_gaps.id
limit 200
