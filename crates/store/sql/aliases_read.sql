select known.account, known.tenant, known.alias, known.provider_payment_id
from input join payment_aliases known
  on known.account = input.account and known.tenant = input.tenant and known.alias = input.alias
