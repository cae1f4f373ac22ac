where payments.id in (
    select named.id from payments named where named.provider_payment_id = $1
    union
    select own.id
    from payment_names known join payments own
      on own.account = known.account and own.tenant = known.tenant and own.provider_payment_id = known.provider_payment_id
    where known.name = $1)
order by payments.updated_at desc, payments.id desc
limit $2
