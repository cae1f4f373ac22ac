where payments.id > $1
order by payments.id
limit $2
