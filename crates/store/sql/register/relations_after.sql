select key, account, tenant, subject_kind, subject_id, kind, value
from relations where key > $1 order by key limit $2
