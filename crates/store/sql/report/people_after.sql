select identities.key, identities.merchant, identities.account, identities.tenant, identities.provider_customer_id,
       identities.document, identities.email, identities.own, identities.at, identities.customer_id,
       customers.key_kind, customers.key_value
from identities left join customers on customers.id = identities.customer_id
where identities.key > $1
order by identities.key
limit $2
