delete from checkout_sessions where key in (select key from input)
