join input
  on payments.account = input.account and payments.tenant = input.tenant
 and payments.provider_payment_id = input.provider_payment_id
order by payments.id
