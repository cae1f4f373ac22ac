update dual_write_gaps set repaired_at = input.now
from input
where dual_write_gaps.target = input.target and dual_write_gaps.account = input.account and dual_write_gaps.tenant = input.tenant
  and dual_write_gaps.subject_kind = input.subject_kind and dual_write_gaps.subject_id = input.subject_id
  and dual_write_gaps.repaired_at is null
