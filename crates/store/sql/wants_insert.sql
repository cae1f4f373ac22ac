insert into wants (id, account, tenant, kind, reference, reason, not_before, receipt_id, created_at)
select id, account, tenant, kind, reference, reason, not_before, receipt_id, now
from input where true
on conflict do nothing
