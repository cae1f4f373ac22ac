select key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id
from identity_claims where key > $1 order by key limit $2
