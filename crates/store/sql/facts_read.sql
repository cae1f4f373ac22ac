where payment_id in (select id from input)
