join identities
  on identities.account = input.account and identities.tenant = input.tenant
 and identities.provider_customer_id = input.provider_customer_id and identities.provider_customer_id <> ''
