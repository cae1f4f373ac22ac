select account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at
from identity_claims
where subject_id = $1
order by subject_kind, account, tenant, at desc, key
limit $2
