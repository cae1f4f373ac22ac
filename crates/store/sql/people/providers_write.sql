insert into customer_providers (id, merchant, account, tenant, provider_customer_id, document, email, created_at, updated_at)
select id, merchant, account, tenant, provider_customer_id, document, email, now, now from input where true
on conflict (account, tenant, provider_customer_id) where provider_customer_id is not null do update set
    document = excluded.document, email = excluded.email, updated_at = excluded.updated_at
