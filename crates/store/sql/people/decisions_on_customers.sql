from input
join identity_decisions
  on identity_decisions.value = input.provider_customer_id and identity_decisions.kind = 'customer'
 and identity_decisions.account = input.account and identity_decisions.tenant = input.tenant
