select customers.id, customers.merchant, customers.key_kind, customers.key_value, customers.document, customers.email, customers.name,
       customers.phone, customers.merged_into, customers.vacant, customers.row_version, customers.created_at, customers.updated_at,
       (select count(*) from customer_providers where customer_providers.customer_id = customers.id) as links,
       (select count(*) from identities join payments on payments.identity = identities.key
        where identities.customer_id = customers.id) as payments
from customers
