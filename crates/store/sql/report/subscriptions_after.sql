select * from customer_subscriptions where id > $1 order by id limit $2
