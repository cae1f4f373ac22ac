insert into customer_subscriptions (id, account, tenant, provider_subscription_id, base, evidence, contested, fold_version,
                                    fact_count, row_version, created_at, updated_at)
select id, account, tenant, provider_subscription_id, 'UNKNOWN', 'LEGACY', false, 0, 0, 0, now, now
from input where true
on conflict (account, tenant, provider_subscription_id) do nothing
