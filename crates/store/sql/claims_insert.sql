insert into identity_claims (key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at)
select key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, now
from input where true
on conflict (key) do update set
    at = excluded.at, receipt_id = excluded.receipt_id, recorded_at = excluded.recorded_at
where excluded.at > identity_claims.at or (excluded.at is not null and identity_claims.at is null)
