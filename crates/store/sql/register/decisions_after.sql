select key, merchant, account, tenant, kind, value, verdict, target, at, decided_by, because
from identity_decisions where key > $1 order by key limit $2
