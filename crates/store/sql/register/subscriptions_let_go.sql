update customer_subscriptions set identity = null where identity in (select key from input)
