insert into payment_aliases (account, tenant, alias, provider_payment_id, recorded_at)
select account, tenant, alias, payment, now from input where true
on conflict (account, tenant, alias) do update set provider_payment_id = excluded.provider_payment_id
