insert into payment_names (account, tenant, name, provider_payment_id, recorded_at)
select account, tenant, name, name, now from input
-- Mostly they are there: looked up, not tried.
where not exists (select 1 from payment_names known
                  where known.account = input.account and known.tenant = input.tenant and known.name = input.name)
on conflict (account, tenant, name) do nothing
