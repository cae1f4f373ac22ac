insert into identities (key, merchant, account, tenant, provider_customer_id, document, email, own, at, name, name_at, phone,
                        phone_at, recorded_at)
select input.key, gateway_accounts.merchant, input.account, input.tenant, input.provider_customer_id, input.document, input.email,
       input.own, input.at, input.name, input.name_at, input.phone, input.phone_at, input.now
from input join gateway_accounts on gateway_accounts.name = input.account where true
on conflict (key) do update set
    own = (excluded.own or identities.own),
    at = case when identities.at is null or excluded.at > identities.at then excluded.at else identities.at end,
    name = case when excluded.name is not null
                 and (identities.name is null
                      or (excluded.name_at is not null and identities.name_at is null)
                      or excluded.name_at > identities.name_at
                      or (excluded.name_at is not distinct from identities.name_at and excluded.name > identities.name))
                then excluded.name else identities.name end,
    name_at = case when identities.name_at is null or excluded.name_at > identities.name_at then excluded.name_at else identities.name_at end,
    phone = case when excluded.phone is not null
                  and (identities.phone is null
                       or (excluded.phone_at is not null and identities.phone_at is null)
                       or excluded.phone_at > identities.phone_at
                       or (excluded.phone_at is not distinct from identities.phone_at and excluded.phone > identities.phone))
                 then excluded.phone else identities.phone end,
    phone_at = case when identities.phone_at is null or excluded.phone_at > identities.phone_at then excluded.phone_at else identities.phone_at end
where identities.customer_id is null
   or (excluded.own and not identities.own)
   or excluded.at > identities.at or (excluded.at is not null and identities.at is null)
   or (excluded.name is not null
       and (identities.name is null or identities.name_at is null or excluded.name_at > identities.name_at
            or excluded.name > identities.name))
   or (excluded.phone is not null
       and (identities.phone is null or identities.phone_at is null or excluded.phone_at > identities.phone_at
            or excluded.phone > identities.phone))
returning key, merchant, account, tenant, provider_customer_id, document, email, own, at, customer_id
