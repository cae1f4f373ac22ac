where subscription_id in (select id from input)
