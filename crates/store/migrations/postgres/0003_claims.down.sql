create table claims_kept (
    account text collate "C" not null,
    tenant text collate "C" not null,
    subject_kind text collate "C" not null
        constraint identity_claims_subject check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice')),
    subject_id text collate "C" not null,
    claim text collate "C" not null,
    value text collate "C" not null constraint identity_claims_value check (value <> ''),
    at timestamptz,
    source text collate "C" not null constraint identity_claims_source check (source in ('legacy', 'webhook', 'list', 'fetch', 'operator')),
    receipt_id uuid not null,
    recorded_at timestamptz not null
);
insert into claims_kept (account, tenant, subject_kind, subject_id, claim, value, at, source, receipt_id, recorded_at)
select distinct on (account, tenant, subject_kind, subject_id, claim, value, at, source) *
from (select account, tenant, subject_kind, subject_id, said.pair ->> 0 as claim, said.pair ->> 1 as value, at, source,
             receipt_id, recorded_at
      from identity_claims, json_array_elements(claims::json) as said (pair)) one
order by account, tenant, subject_kind, subject_id, claim, value, at, source, recorded_at, receipt_id;
drop table identity_claims;
alter table claims_kept rename to identity_claims;
create unique index identity_claims_content
    on identity_claims (account, tenant, subject_kind, subject_id, claim, value, coalesce(at, timestamptz '-infinity'), source);
create index identity_claims_value on identity_claims (claim, value);
