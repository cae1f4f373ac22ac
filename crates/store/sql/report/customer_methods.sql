select account, tenant, provider_method_id, kind, brand, last4, expiry, state, is_default, used_at
from customer_payment_methods
where customer_id = $1
order by case when state = 'ACTIVE' then 0 else 1 end, used_at desc nulls last, account, tenant, provider_method_id
