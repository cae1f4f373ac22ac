select identities.customer_id, identities.merchant, identities.account, identities.tenant,
       max(identities.provider_customer_id) as provider_customer_id
from input
join identities on identities.customer_id = input.id
group by identities.customer_id, identities.merchant, identities.account, identities.tenant
