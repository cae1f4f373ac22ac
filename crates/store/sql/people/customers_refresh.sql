update customers set
    email = now_said.email, name = now_said.name, phone = now_said.phone,
    merged_into = case when now_said.alive then null else coalesce(now_said.merged_into, customers.merged_into) end,
    vacant = not now_said.alive, row_version = customers.row_version + 1, updated_at = now_said.now
from (select id, merged_into, now, count(key) > 0 as alive,
             max(case when email_place = 1 then nullif(email, '') end) as email,
             max(case when name_place = 1 then name end) as name,
             max(case when phone_place = 1 then phone end) as phone
      from (select input.id, input.merged_into, input.now, identities.key, identities.email, identities.name, identities.phone,
                   row_number() over (
                       partition by input.id
                       order by case when identities.email <> '' then 0 else 1 end, identities.own desc,
                                identities.at desc nulls last, identities.email desc) as email_place,
                   row_number() over (
                       partition by input.id
                       order by case when identities.name is null then 1 else 0 end, identities.name_at desc nulls last,
                                identities.name desc) as name_place,
                   row_number() over (
                       partition by input.id
                       order by case when identities.phone is null then 1 else 0 end, identities.phone_at desc nulls last,
                                identities.phone desc) as phone_place
            from input left join identities on identities.customer_id = input.id) placed
      group by id, merged_into, now) now_said
where customers.id = now_said.id
  and (customers.row_version = 0
       or customers.email is distinct from now_said.email or customers.name is distinct from now_said.name
       or customers.phone is distinct from now_said.phone or customers.vacant = now_said.alive
       or customers.merged_into is distinct from
          case when now_said.alive then null else coalesce(now_said.merged_into, customers.merged_into) end)
returning customers.id, customers.row_version, customers.merged_into
