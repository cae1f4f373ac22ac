where customer_subscriptions.identity in (select identities.key from identities where identities.customer_id = $1)
order by customer_subscriptions.updated_at desc, customer_subscriptions.id desc
limit $2
