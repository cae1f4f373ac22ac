select distinct input.place, paid.account, paid.tenant, paid.provider_payment_id, paid.captured_amount > 0 as took_money
from input
join payment_names named on named.name = input.name
join payments paid
  on paid.account = named.account and paid.tenant = named.tenant and paid.provider_payment_id = named.provider_payment_id
union
select input.place, paid.account, paid.tenant, paid.provider_payment_id, paid.captured_amount > 0 as took_money
from input
join relations said on said.value = input.name and said.kind = 'order' and said.subject_kind = 'payment'
join payment_names named on named.name = said.subject_id and named.account = said.account and named.tenant = said.tenant
join payments paid
  on paid.account = named.account and paid.tenant = named.tenant and paid.provider_payment_id = named.provider_payment_id
union
select input.place, paid.account, paid.tenant, paid.provider_payment_id, paid.captured_amount > 0 as took_money
from input
join afluente.legacy_rows held on held.row_id = input.name
join payments paid
  on paid.account = held.account and paid.tenant = held.tenant and paid.provider_payment_id = held.provider_payment_id
