insert into identity_claims (account, tenant, subject_kind, subject_id, claim, value, source, at, receipt_id, recorded_at)
select account, tenant, subject_kind, subject_id, claim, value, source, at, receipt_id, now
from input where true
on conflict (account, tenant, subject_kind, subject_id, claim, value, source) do update set
    at = excluded.at, receipt_id = excluded.receipt_id, recorded_at = excluded.recorded_at
where excluded.at > identity_claims.at or (excluded.at is not null and identity_claims.at is null)
