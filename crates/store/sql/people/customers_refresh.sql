update customers set
    email = now_said.email, name = now_said.name, phone = now_said.phone,
    merged_into = case when now_said.alive then null else coalesce(now_said.merged_into, customers.merged_into) end,
    vacant = not now_said.alive, row_version = customers.row_version + 1, updated_at = now_said.now
from (select input.id, input.merged_into, input.now,
             (select identities.email from identities where identities.customer_id = input.id and identities.email <> ''
              order by identities.own desc, identities.at desc nulls last, identities.email desc limit 1) as email,
             (select identities.name from identities where identities.customer_id = input.id and identities.name is not null
              order by identities.name_at desc nulls last, identities.name desc limit 1) as name,
             (select identities.phone from identities where identities.customer_id = input.id and identities.phone is not null
              order by identities.phone_at desc nulls last, identities.phone desc limit 1) as phone,
             exists (select 1 from identities where identities.customer_id = input.id) as alive
      from input) now_said
where customers.id = now_said.id
  and (customers.row_version = 0
       or customers.email is distinct from now_said.email or customers.name is distinct from now_said.name
       or customers.phone is distinct from now_said.phone or customers.vacant = now_said.alive
       or customers.merged_into is distinct from
          case when now_said.alive then null else coalesce(now_said.merged_into, customers.merged_into) end)
returning customers.id, customers.row_version, customers.merged_into
