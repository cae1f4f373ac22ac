insert into customer_providers (id, merchant, account, tenant, customer_id, linked_by, created_at, updated_at)
select id, merchant, account, tenant, customer_id, linked_by, now, now from input where true
on conflict (customer_id, account, tenant) where provider_customer_id is null do nothing
