select key, merchant, account, tenant, provider_method_id, kind, kind_at, brand, brand_at, last4, last4_at, expiry, expiry_at,
       fingerprint, fingerprint_at, attachment, attachment_at, deleted, used_at, owner_rank, owner_at, identity
from payment_methods where key > $1 order by key limit $2
