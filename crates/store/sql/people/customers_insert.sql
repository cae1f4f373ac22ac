insert into customers (id, merchant, key_kind, key_value, document, row_version, created_at, updated_at)
select id, merchant, key_kind, key_value, document, 0, now, now
from input
where not exists (select 1 from customers
                  where customers.merchant = input.merchant and customers.key_kind = input.key_kind
                    and customers.key_value = input.key_value)
on conflict (merchant, key_kind, key_value) do nothing
