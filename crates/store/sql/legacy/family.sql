, mates as (
    select asked.account, asked.tenant, asked.provider_payment_id
    from input join payment_names asked on asked.account = input.account and asked.tenant = input.tenant and asked.name = input.name
    union
    select mate.account, mate.tenant, mate.provider_payment_id
    from input
    join payment_names asked on asked.account = input.account and asked.tenant = input.tenant and asked.name = input.name
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
)
select account, tenant, provider_payment_id, provider_v2, status_v2, took_money, source_as_of, id, own
from (
    select mate.account, mate.tenant, mate.provider_payment_id, mate.provider_v2, mate.status_v2, mate.captured_amount > 0 as took_money,
           mate.source_as_of, named.name as id, true as own
    from mates
    join payments mate
      on mate.account = mates.account and mate.tenant = mates.tenant and mate.provider_payment_id = mates.provider_payment_id
    join payment_names named
      on named.account = mate.account and named.tenant = mate.tenant and named.provider_payment_id = mate.provider_payment_id
    union
    select mate.account, mate.tenant, mate.provider_payment_id, mate.provider_v2, mate.status_v2, mate.captured_amount > 0 as took_money,
           mate.source_as_of, said.value as id, false as own
    from mates
    join payments mate
      on mate.account = mates.account and mate.tenant = mates.tenant and mate.provider_payment_id = mates.provider_payment_id
    join payment_names named
      on named.account = mate.account and named.tenant = mate.tenant and named.provider_payment_id = mate.provider_payment_id
    join relations said
      on said.account = named.account and said.tenant = named.tenant and said.subject_kind = 'payment' and said.subject_id = named.name
     and said.kind in ('order', 'invoice')
) family
