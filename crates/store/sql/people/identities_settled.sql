select identities.key
from input
join identities on identities.key = input.key
join customers on customers.id = identities.customer_id
where not customers.vacant
  and customers.email is not distinct from nullif(identities.email, '')
  and customers.name is not distinct from identities.name and customers.phone is not distinct from identities.phone
  and not exists (select 1 from identities other
                  where other.customer_id = identities.customer_id and other.key <> identities.key)
