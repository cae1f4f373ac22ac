select known.account, known.tenant, known.name, known.provider_payment_id as payment
from input join payment_names known
  on known.account = input.account and known.tenant = input.tenant and known.name = input.name
order by known.account, known.tenant, known.name
