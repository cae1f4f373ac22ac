drop table identity_decisions;
create table claims_kept (
    -- A hash of who says what of whom. What migration 3 found has one of its own.
    key blob primary key constraint identity_claims_key check (length(key) = 16),
    account text not null,
    tenant text not null,
    subject_kind text not null
        constraint identity_claims_subject check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice', 'account')),
    subject_id text not null,
    -- JSON: pairs of a kind and a value, sorted.
    claims text not null constraint identity_claims_claims check (claims like '[["%'),
    source text not null constraint identity_claims_source check (source in ('legacy', 'webhook', 'list', 'fetch', 'operator')),
    at integer,
    -- Of the newest time.
    receipt_id blob not null,
    recorded_at integer not null,
    merchant text,
    identity blob constraint identity_claims_identity check (length(identity) = 16)
) strict;
insert into claims_kept (key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at, merchant, identity)
select key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at, merchant, identity from identity_claims where subject_kind <> 'decision';
drop table identity_claims;
alter table claims_kept rename to identity_claims;
create index identity_claims_of on identity_claims (subject_id);
