from (select distinct named.account, named.tenant, named.provider_payment_id
      from input
      join payment_names named
        on named.account = input.account and named.tenant = input.tenant and named.name = input.subject_id) subject) told
where payments.account = told.account and payments.tenant = told.tenant and payments.provider_payment_id = told.provider_payment_id
  and payments.identity is distinct from told.claimed
