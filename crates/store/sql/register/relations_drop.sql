delete from relations where key in (select key from input)
