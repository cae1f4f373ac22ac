select customer_subscriptions.id, customer_subscriptions.account, customer_subscriptions.tenant,
       customer_subscriptions.provider_subscription_id, customer_subscriptions.base, customer_subscriptions.legacy_word,
       customer_subscriptions.reason, customer_subscriptions.starts_at, customer_subscriptions.cancel_at,
       customer_subscriptions.period_start, customer_subscriptions.period_end, customer_subscriptions.trial_end,
       customer_subscriptions.grace_until, customer_subscriptions.ended_at, customer_subscriptions.pause_kind,
       customer_subscriptions.evidence, customer_subscriptions.contested, customer_subscriptions.source_as_of,
       customer_subscriptions.fold_version, customer_subscriptions.fact_count, customer_subscriptions.row_version,
       customer_subscriptions.updated_at
from customer_subscriptions
