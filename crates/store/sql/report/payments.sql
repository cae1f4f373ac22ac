select payments.*
from payments
where ($1 is null or account = $1)
  and ($2 is null or status_v2 = $2)
  and ($3 is null or provider_payment_id = $3
       or (account, tenant, provider_payment_id) in (
           select account, tenant, provider_payment_id from payment_aliases where alias = $3))
order by updated_at desc, id desc
limit $4
