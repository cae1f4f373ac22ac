delete from identity_decisions where key in (select key from input)
