delete from customer_subscriptions where id in (select id from input)
