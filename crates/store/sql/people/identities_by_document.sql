join identities
  on identities.merchant = input.merchant and identities.document = input.value and identities.document <> ''
