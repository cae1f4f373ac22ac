insert into checkout_sessions as held (
    key, merchant, account, tenant, provider_session_id, status_v2, status_rank, status_at, owner_rank, owner_at, identity,
    recorded_at)
select input.key, gateway_accounts.merchant, input.account, input.tenant, input.provider_session_id, input.status_v2, input.status_rank,
       input.status_at, input.owner_rank, input.owner_at, input.identity, input.now
from input join gateway_accounts on gateway_accounts.name = input.account where true
on conflict (key) do update set
    status_v2 = case when (excluded.status_at, excluded.status_rank) > (held.status_at, held.status_rank)
        then excluded.status_v2 else held.status_v2 end,
    status_rank = case when (excluded.status_at, excluded.status_rank) > (held.status_at, held.status_rank)
        then excluded.status_rank else held.status_rank end,
    status_at = case when excluded.status_at > held.status_at then excluded.status_at else held.status_at end,
    owner_rank = case when (excluded.owner_rank, excluded.owner_at, excluded.identity) > (held.owner_rank, held.owner_at, held.identity)
        then excluded.owner_rank else held.owner_rank end,
    owner_at = case when (excluded.owner_rank, excluded.owner_at, excluded.identity) > (held.owner_rank, held.owner_at, held.identity)
        then excluded.owner_at else held.owner_at end,
    identity = case when (excluded.owner_rank, excluded.owner_at, excluded.identity) > (held.owner_rank, held.owner_at, held.identity)
        then excluded.identity else held.identity end
where (excluded.status_at, excluded.status_rank) > (held.status_at, held.status_rank)
   or (excluded.owner_rank, excluded.owner_at, excluded.identity) > (held.owner_rank, held.owner_at, held.identity)
