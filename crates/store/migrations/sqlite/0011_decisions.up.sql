-- What a person decided of who somebody is is a claim as any other, and a register of its own: the newest holds.
create table claims_kept (
    -- A hash of who says what of whom. What migration 3 found has one of its own.
    key blob primary key constraint identity_claims_key check (length(key) = 16),
    account text not null,
    tenant text not null,
    subject_kind text not null
        constraint identity_claims_subject check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice', 'account', 'decision')),
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
select key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at, merchant, identity from identity_claims;
drop table identity_claims;
alter table claims_kept rename to identity_claims;
create index identity_claims_of on identity_claims (subject_id);

create table identity_decisions (
    -- A hash of account, sub-account and the name of what is decided of.
    key blob not null constraint identity_decisions_key check (length(key) = 16),
    merchant text not null,
    account text not null,
    tenant text not null,
    kind text not null constraint identity_decisions_kind check (kind in ('customer', 'email')),
    value text not null,
    verdict text not null constraint identity_decisions_verdict check (verdict in ('document', 'email', 'itself', 'undone')),
    -- The document or the address; empty for none.
    target text not null,
    at integer not null,
    decided_by text not null,
    because text not null,
    recorded_at integer not null,
    primary key (key),
    constraint identity_decisions_target check ((verdict in ('document', 'email')) = (target <> ''))
) strict;
create index identity_decisions_on on identity_decisions (value, kind, merchant);
create index identity_decisions_to on identity_decisions (target, verdict, merchant);
