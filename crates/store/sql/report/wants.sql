select account, tenant, kind, reference, context, reason, raised, attempts, created_at, not_before
from wants
where closed_at is null and ($1 is null or account = $1)
order by created_at, id
limit $2
