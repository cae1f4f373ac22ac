from input
join identity_decisions
  on identity_decisions.target = input.value and identity_decisions.verdict = 'email' and identity_decisions.kind = 'email'
 and identity_decisions.merchant = input.merchant
