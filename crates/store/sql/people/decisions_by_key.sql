from input
join identity_decisions on identity_decisions.key = input.key
