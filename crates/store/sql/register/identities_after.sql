select key, merchant, account, tenant, provider_customer_id, document, email, own, at, name, name_at, phone, phone_at
from identities where key > $1 order by key limit $2
