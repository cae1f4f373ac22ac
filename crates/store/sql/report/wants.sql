select id, account, tenant, kind, reference, context, reason, raised, attempts, last_outcome, created_at, due_at, receipt_id
from wants
where closed_at is null and ($1 is null or account = $1) and ($2 is null or id = $2)
order by created_at, id
limit $3
