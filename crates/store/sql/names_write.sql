update payment_names set provider_payment_id = input.payment
from input
where payment_names.account = input.account and payment_names.tenant = input.tenant and payment_names.name = input.name
