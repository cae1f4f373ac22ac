where customer_subscriptions.provider_subscription_id = $1
order by customer_subscriptions.updated_at desc, customer_subscriptions.id desc
limit $2
