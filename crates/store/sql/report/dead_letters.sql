select id, delivery_id, gateway, account, reason, error, attempts, first_seen_at, last_seen_at, seen, state, settled_by,
       settled_because, body_bytes, body_hash
from dead_letters
where ($1 is null or id = $1)
  and ($2 is null or reason = $2)
  and ($3 is null or account = $3)
  and ($4 is null or gateway = $4)
  and ($5 or state = 'OPEN' or id = $1)
  and ($7 is null or last_seen_at >= $7)
order by last_seen_at desc, id desc
limit $6
