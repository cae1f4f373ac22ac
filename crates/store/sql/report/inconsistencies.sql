select id, kind, account, entity, detail, first_seen_at, last_seen_at, seen, resolved_at, resolved_by, resolution
from inconsistencies
where ($1 is null or id = $1)
  and ($2 is null or kind = $2)
  and ($3 is null or account = $3)
  and ($4 or resolved_at is null or id = $1)
order by last_seen_at desc, id desc
limit $5
