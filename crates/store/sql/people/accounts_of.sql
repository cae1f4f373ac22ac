select identities.customer_id, identities.merchant, identities.account, identities.tenant, customers.key_kind,
       max(identities.provider_customer_id) as provider_customer_id
from input
join customers on customers.id = input.id
join identities on identities.customer_id = customers.id
group by identities.customer_id, identities.merchant, identities.account, identities.tenant, customers.key_kind
