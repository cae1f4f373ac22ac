where customers.id in (
    select known.id from customers known where known.id = $1
    union
    select identities.customer_id from identities where identities.email = $2 and identities.email <> ''
    union
    select identities.customer_id from identities where identities.document = $3 and identities.document <> ''
    union
    select links.customer_id from customer_providers links where links.provider_customer_id = $2
    union
    select identities.customer_id
    from payment_names named
    join payments paid
      on paid.account = named.account and paid.tenant = named.tenant and paid.provider_payment_id = named.provider_payment_id
    join identities on identities.key = paid.identity
    where named.name = $2)
order by customers.updated_at desc, customers.id desc
limit $4
