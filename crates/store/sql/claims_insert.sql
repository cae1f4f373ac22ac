insert into identity_claims (account, tenant, subject_kind, subject_id, claim, value, at, source, receipt_id, recorded_at)
select account, tenant, subject_kind, subject_id, claim, value, at, source, receipt_id, now
from input where true
on conflict do nothing
