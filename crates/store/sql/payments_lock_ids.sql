where payments.id in (select id from input)
order by payments.id
