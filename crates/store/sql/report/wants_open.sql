select gateway_accounts.provider_v2, wants.reason, count(*) as open, min(wants.created_at) as since
from wants join gateway_accounts on gateway_accounts.name = wants.account
where wants.closed_at is null
group by gateway_accounts.provider_v2, wants.reason
