select account, tenant, provider_customer_id, linked_by, document, email, updated_at
from customer_providers
where customer_id = $1
order by account, tenant, provider_customer_id
