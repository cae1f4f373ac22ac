select count(*) from input join dual_write_gaps on dual_write_gaps.id = input.id and dual_write_gaps.repaired_at is null
