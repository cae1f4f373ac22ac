select payments.id, payments.account, payments.tenant, payments.provider_payment_id as subject_id, payments.identity,
       (select said.identity
        from payment_names every
        join identity_claims said
          on said.subject_id = every.name and said.account = every.account and said.tenant = every.tenant
         and said.subject_kind = 'payment' and said.identity is not null
        join identities on identities.key = said.identity
        where every.account = payments.account and every.tenant = payments.tenant
          and every.provider_payment_id = payments.provider_payment_id
        order by case when identities.provider_customer_id <> '' then 1 else 0 end desc,
                 case when identities.document <> '' then 1 else 0 end desc, said.at desc nulls last, said.identity desc
        limit 1) as claimed
from payments
where payments.id > $1
order by payments.id
limit $2
