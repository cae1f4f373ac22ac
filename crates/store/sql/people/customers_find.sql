select customers.id, customers.merchant, customers.key_kind, customers.key_value
from input
join customers
  on customers.merchant = input.merchant and customers.key_kind = input.key_kind and customers.key_value = input.key_value
