delete from customer_providers
where provider_customer_id is null and customer_id in (select id from input)
  and (not exists (select 1 from identities
                   where identities.customer_id = customer_providers.customer_id
                     and identities.account = customer_providers.account and identities.tenant = customer_providers.tenant)
       or exists (select 1 from identities
                  where identities.customer_id = customer_providers.customer_id
                    and identities.account = customer_providers.account and identities.tenant = customer_providers.tenant
                    and identities.provider_customer_id <> ''))
