update gateway_accounts set external_account_id = null, updated_at = input.now
from input
where gateway_accounts.external_account_id is not null
  and (gateway_accounts.name = input.replaces
       or (gateway_accounts.name = input.name and gateway_accounts.external_account_id is distinct from input.external_id))
