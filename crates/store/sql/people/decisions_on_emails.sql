from input
join identity_decisions
  on identity_decisions.value = input.value and identity_decisions.kind = 'email'
 and identity_decisions.merchant = input.merchant
