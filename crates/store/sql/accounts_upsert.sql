insert into gateway_accounts (name, merchant, provider_v2, external_account_id, livemode, created_at, updated_at)
select name, merchant, provider_v2, external_id, livemode, now, now from input where true
on conflict (name) do update set
    external_account_id = excluded.external_account_id, livemode = excluded.livemode,
    updated_at = excluded.updated_at
