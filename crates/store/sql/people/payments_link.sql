update payments set identity = input.identity
from input
where payments.account = input.account and payments.tenant = input.tenant and payments.provider_payment_id = input.subject_id
  and payments.identity is distinct from input.identity
