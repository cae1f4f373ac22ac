select payments.*
from payments
where ($1 is null or account = $1)
  and ($2 is null or status_v2 = $2)
order by updated_at desc, id desc
limit $3
