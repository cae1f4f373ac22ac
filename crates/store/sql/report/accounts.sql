select name, merchant, provider_v2, external_account_id, livemode
from gateway_accounts
order by name
