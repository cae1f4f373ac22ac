select identity_values.merchant, identity_values.kind, identity_values.value, identity_values.shared, identity_values.owner
from input
join identity_values
  on identity_values.merchant = input.merchant and identity_values.kind = input.kind and identity_values.value = input.value
