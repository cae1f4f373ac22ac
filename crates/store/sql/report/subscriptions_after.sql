where customer_subscriptions.id > $1
order by customer_subscriptions.id
limit $2
