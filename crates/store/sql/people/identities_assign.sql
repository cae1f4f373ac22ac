update identities set customer_id = input.customer_id
from input
where identities.key = input.key and identities.customer_id is distinct from input.customer_id
