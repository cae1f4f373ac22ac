select 'no subscription at the gateway' as of, count(*) as rows
from customer_subscriptions where provider_subscription_id is null or provider_subscription_id not like 'sub\_%'
having count(*) > 0
