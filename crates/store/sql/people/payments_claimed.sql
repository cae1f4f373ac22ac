select target.account, target.tenant, target.provider_payment_id as subject_id, said.identity,
       identities.provider_customer_id <> '' as by_customer, identities.document <> '' as by_document, said.at
from input
join payment_names target
  on target.account = input.account and target.tenant = input.tenant and target.name = input.subject_id
join payment_names every
  on every.account = target.account and every.tenant = target.tenant and every.provider_payment_id = target.provider_payment_id
join identity_claims said
  on said.subject_id = every.name and said.account = every.account and said.tenant = every.tenant
 and said.subject_kind = 'payment' and said.identity is not null
join identities on identities.key = said.identity
