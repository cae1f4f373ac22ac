update customer_providers set customer_id = input.customer_id, linked_by = input.linked_by, updated_at = input.now
from input
where customer_providers.account = input.account and customer_providers.tenant = input.tenant
  and customer_providers.provider_customer_id = input.provider_customer_id
  and (customer_providers.customer_id is distinct from input.customer_id
       or customer_providers.linked_by is distinct from input.linked_by)
