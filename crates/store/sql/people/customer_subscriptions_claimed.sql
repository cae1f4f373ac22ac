select said.account, said.tenant, said.subject_id, said.identity,
       identities.provider_customer_id <> '' as by_customer, identities.document <> '' as by_document, said.at
from input
join identity_claims said
  on said.subject_id = input.subject_id and said.account = input.account and said.tenant = input.tenant
 and said.subject_kind = 'subscription' and said.identity is not null
join identities on identities.key = said.identity
