insert into payment_names (account, tenant, name, provider_payment_id, recorded_at)
select account, tenant, name, name, now from input where true
on conflict (account, tenant, name) do nothing
