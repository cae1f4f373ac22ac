select customer_providers.id, customer_providers.account, customer_providers.tenant, customer_providers.provider_customer_id,
       customer_providers.customer_id, customer_providers.document, customer_providers.email
from input
join customer_providers
  on customer_providers.merchant = input.merchant and customer_providers.email = input.value
 and customer_providers.email is not null and customer_providers.document is null
