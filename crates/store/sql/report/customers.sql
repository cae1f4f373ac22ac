where ($1 is null or customers.merchant = $1) and not customers.vacant
order by customers.updated_at desc, customers.id desc
limit $2
