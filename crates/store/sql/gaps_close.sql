update dual_write_gaps set repaired_at = input.now
from input
where dual_write_gaps.id = input.id and dual_write_gaps.repaired_at is null
  and dual_write_gaps.reason <> 'no_label' and (dual_write_gaps.reason <> 'no_row' or dual_write_gaps.first_seen_at < input.enough)
