update payments set identity = null where identity in (select key from input)
