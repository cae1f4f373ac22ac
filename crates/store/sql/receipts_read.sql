where id in (select id from input)
order by id
