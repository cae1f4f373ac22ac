select customer_providers.id, customer_providers.account, customer_providers.tenant, customer_providers.provider_customer_id,
       customer_providers.customer_id, customer_providers.document, customer_providers.email
from input
join customer_providers
  on customer_providers.account = input.account and customer_providers.tenant = input.tenant
 and customer_providers.provider_customer_id = input.provider_customer_id
 and customer_providers.provider_customer_id is not null
