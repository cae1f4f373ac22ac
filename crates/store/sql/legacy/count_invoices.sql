select 'an invoice beside its intent' as of, count(*) as rows
from payment_transactions where provider_order_id like 'in\_%'
having count(*) > 0
