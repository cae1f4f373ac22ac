select identities.key, identities.merchant, identities.account, identities.tenant, identities.provider_customer_id,
       identities.document, identities.email, identities.own, identities.at, identities.customer_id
from input
