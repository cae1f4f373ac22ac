join input
  on customer_subscriptions.account = input.account and customer_subscriptions.tenant = input.tenant
 and customer_subscriptions.provider_subscription_id = input.provider_subscription_id
order by customer_subscriptions.id
