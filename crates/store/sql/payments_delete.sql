delete from payments where id in (select id from input)
