from (select distinct account, tenant, subject_id as provider_subscription_id from input) subject) told
where customer_subscriptions.account = told.account and customer_subscriptions.tenant = told.tenant
  and customer_subscriptions.provider_subscription_id = told.provider_subscription_id
  and customer_subscriptions.identity is distinct from told.claimed
