select account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at
from identity_claims
where claims like $1 escape '\'
order by recorded_at desc, key
limit $2
