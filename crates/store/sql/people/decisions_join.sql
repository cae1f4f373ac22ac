insert into identity_decisions as held (
    key, merchant, account, tenant, kind, value, verdict, target, at, decided_by, because, recorded_at)
select input.key, gateway_accounts.merchant, input.account, input.tenant, input.kind, input.value, input.verdict, input.target, input.at,
       input.decided_by, input.because, input.now
from input join gateway_accounts on gateway_accounts.name = input.account where true
on conflict (key) do update set
    verdict = excluded.verdict, target = excluded.target, at = excluded.at, decided_by = excluded.decided_by, because = excluded.because
where (excluded.at, excluded.verdict, excluded.target, excluded.decided_by, excluded.because)
    > (held.at, held.verdict, held.target, held.decided_by, held.because)
returning key
