join identities
  on identities.merchant = input.merchant and identities.email = input.value and identities.email <> ''
