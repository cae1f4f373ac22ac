select payments.*
from payments
where id in (
    select id from payments where provider_payment_id = $1
    union
    select payment.id
    from payment_names named join payments payment
      on payment.account = named.account and payment.tenant = named.tenant
     and payment.provider_payment_id = named.provider_payment_id
    where named.name = $1)
order by updated_at desc, id desc
limit $2
