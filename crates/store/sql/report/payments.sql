where ($1 is null or payments.account = $1)
  and ($2 is null or payments.status_v2 = $2)
order by payments.updated_at desc, payments.id desc
limit $3
