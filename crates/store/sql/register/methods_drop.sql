delete from payment_methods where key in (select key from input)
