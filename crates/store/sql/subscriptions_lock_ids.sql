where customer_subscriptions.id in (select id from input)
order by customer_subscriptions.id
