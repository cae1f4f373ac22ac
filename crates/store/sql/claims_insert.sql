insert into identity_claims (key, merchant, account, tenant, subject_kind, subject_id, claims, identity, source, at, receipt_id, recorded_at)
select input.key, gateway_accounts.merchant, account, tenant, subject_kind, subject_id, claims, input.identity, source, at, receipt_id, now
from input left join gateway_accounts on gateway_accounts.name = input.account where true
on conflict (key) do update set
    at = excluded.at, receipt_id = excluded.receipt_id, recorded_at = excluded.recorded_at, identity = excluded.identity,
    merchant = excluded.merchant
where excluded.at > identity_claims.at or (excluded.at is not null and identity_claims.at is null)
   or (excluded.identity is not null and identity_claims.identity is null)
