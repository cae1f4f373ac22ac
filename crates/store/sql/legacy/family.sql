, asked as (
    select distinct named.account, named.tenant, named.provider_payment_id
    from input join payment_names named on named.account = input.account and named.tenant = input.tenant and named.name = input.name
), mates as (
    select account, tenant, provider_payment_id from asked
    union
    select mate.account, mate.tenant, mate.provider_payment_id
    from asked
    join payment_names own
      on own.account = asked.account and own.tenant = asked.tenant and own.provider_payment_id = asked.provider_payment_id
    join relations said
      on said.account = own.account and said.tenant = own.tenant and said.subject_kind = 'payment' and said.subject_id = own.name
     and said.kind = 'order'
    join relations other
      on other.account = said.account and other.tenant = said.tenant and other.kind = 'order' and other.value = said.value
     and other.subject_kind = 'payment'
    join payment_names mate
      on mate.account = other.account and mate.tenant = other.tenant and mate.name = other.subject_id
), named as (
    select mate.account, mate.tenant, mate.provider_payment_id, mate.provider_v2, mate.status_v2, mate.captured_amount > 0 as took_money,
           mate.source_as_of, own.name
    from mates
    join payments mate
      on mate.account = mates.account and mate.tenant = mates.tenant and mate.provider_payment_id = mates.provider_payment_id
    join payment_names own
      on own.account = mate.account and own.tenant = mate.tenant and own.provider_payment_id = mate.provider_payment_id
)
select account, tenant, provider_payment_id, provider_v2, status_v2, took_money, source_as_of, name as id, true as own
from named
union all
select distinct named.account, named.tenant, named.provider_payment_id, named.provider_v2, named.status_v2, named.took_money,
       named.source_as_of, said.value as id, false as own
from named
join relations said
  on said.account = named.account and said.tenant = named.tenant and said.subject_kind = 'payment' and said.subject_id = named.name
 and said.kind in ('order', 'invoice')
