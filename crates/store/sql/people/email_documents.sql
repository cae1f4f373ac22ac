select input.merchant, input.value, identities.document
from input
join identities
  on identities.merchant = input.merchant and identities.email = input.value and identities.email <> ''
 and identities.document <> ''
where not exists (select 1 from identity_values
                  where identity_values.merchant = identities.merchant and identity_values.kind = 'document'
                    and identity_values.value = identities.document and identity_values.shared)
union
select input.merchant, input.value, customer_providers.document
from input
join customer_providers
  on customer_providers.merchant = input.merchant and customer_providers.email = input.value
 and customer_providers.email is not null and customer_providers.document is not null
