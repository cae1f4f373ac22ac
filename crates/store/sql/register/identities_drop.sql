delete from identities where key in (select key from input)
