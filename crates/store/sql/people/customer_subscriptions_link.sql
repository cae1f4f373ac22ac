update customer_subscriptions set identity = input.identity
from input
where customer_subscriptions.account = input.account and customer_subscriptions.tenant = input.tenant and customer_subscriptions.provider_subscription_id = input.subject_id
  and customer_subscriptions.identity is distinct from input.identity
