select account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at
from (
    select said.key, said.account, said.tenant, said.subject_kind, said.subject_id, said.claims, said.source, said.at, said.receipt_id,
           said.recorded_at
    from customer_providers links
    join identity_claims said
      on said.subject_id = links.provider_customer_id and said.account = links.account and said.tenant = links.tenant
    where links.customer_id = $1 and said.subject_kind = 'customer'
    union
    select said.key, said.account, said.tenant, said.subject_kind, said.subject_id, said.claims, said.source, said.at, said.receipt_id,
           said.recorded_at
    from identities
    join payments paid on paid.identity = identities.key
    join payment_names named
      on named.account = paid.account and named.tenant = paid.tenant and named.provider_payment_id = paid.provider_payment_id
    join identity_claims said
      on said.subject_id = named.name and said.account = named.account and said.tenant = named.tenant
    where identities.customer_id = $1 and said.subject_kind = 'payment'
    union
    select said.key, said.account, said.tenant, said.subject_kind, said.subject_id, said.claims, said.source, said.at, said.receipt_id,
           said.recorded_at
    from identities
    join payment_methods methods on methods.identity = identities.key
    join identity_claims said
      on said.subject_id = methods.provider_method_id and said.account = methods.account and said.tenant = methods.tenant
    where identities.customer_id = $1 and said.subject_kind = 'method'
) every
order by at desc nulls last, key
limit $2
