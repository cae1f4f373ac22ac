update customer_subscriptions set identity = told.claimed
from (
select subject.account, subject.tenant, subject.provider_subscription_id,
