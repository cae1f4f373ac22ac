-- One row for everything one envelope says of one subject, with the newest time it was said at. Every event of a payment says
-- the same of it again, and a row a claim and event was the most expensive thing a delivery wrote. The newest of several times
-- is the same in any order.
create table claims_kept (
    -- A hash of who says what of whom. What this migration found has one of its own.
    key bytea not null
        constraint identity_claims_key check (length(key) = 16),
    account text collate "C" not null,
    tenant text collate "C" not null,
    subject_kind text collate "C" not null
        constraint identity_claims_subject check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice')),
    subject_id text collate "C" not null,
    -- JSON: pairs of a kind and a value, sorted.
    claims text collate "C" not null constraint identity_claims_claims check (claims like '[["%'),
    source text collate "C" not null constraint identity_claims_source check (source in ('legacy', 'webhook', 'list', 'fetch', 'operator')),
    at timestamptz,
    -- Of the newest time.
    receipt_id uuid not null,
    recorded_at timestamptz not null,
    constraint identity_claims_pkey primary key (key)
-- A newer time changes no index: with room on the page it stays there.
) with (fillfactor = 85);
insert into claims_kept (key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at)
select uuid_send(gen_random_uuid()), account, tenant, subject_kind, subject_id,
       '[[' || to_json(claim) || ',' || to_json(value) || ']]', source, at, receipt_id, recorded_at
from (select distinct on (account, tenant, subject_kind, subject_id, claim, value, source) *
      from identity_claims
      order by account, tenant, subject_kind, subject_id, claim, value, source, at desc nulls last) newest;
drop table identity_claims;
alter table claims_kept rename to identity_claims;
-- Nobody looks for a value yet; whoever does will know by what else.
