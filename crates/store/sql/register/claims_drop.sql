delete from identity_claims where key in (select key from input)
