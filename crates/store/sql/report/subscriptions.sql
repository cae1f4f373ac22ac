where ($1 is null or customer_subscriptions.account = $1)
  and ($2 is null or customer_subscriptions.base = $2)
order by customer_subscriptions.updated_at desc, customer_subscriptions.id desc
limit $3
