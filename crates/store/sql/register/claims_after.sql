select key, merchant, account, tenant, subject_kind, subject_id, claims, identity, source, at
from identity_claims where key > $1 order by key limit $2
