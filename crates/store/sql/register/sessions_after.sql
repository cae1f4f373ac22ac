select key, merchant, account, tenant, provider_session_id, status_v2, status_rank, status_at, owner_rank, owner_at, identity
from checkout_sessions where key > $1 order by key limit $2
