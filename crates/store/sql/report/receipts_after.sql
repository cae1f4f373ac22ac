where id > $1 and kind = 'WEBHOOK'
order by id
limit $2
