-- What a person decided of who somebody is is a claim as any other, and a register of its own: the newest holds.
alter table identity_claims drop constraint identity_claims_subject;
alter table identity_claims add constraint identity_claims_subject
    check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice', 'account', 'decision'));

create table identity_decisions (
    -- A hash of account, sub-account and the name of what is decided of.
    key bytea not null constraint identity_decisions_key check (length(key) = 16),
    merchant text collate "C" not null,
    account text collate "C" not null,
    tenant text collate "C" not null,
    kind text collate "C" not null constraint identity_decisions_kind check (kind in ('customer', 'email')),
    value text collate "C" not null,
    verdict text collate "C" not null constraint identity_decisions_verdict check (verdict in ('document', 'email', 'itself', 'undone')),
    -- The document or the address; empty for none.
    target text collate "C" not null,
    at timestamptz not null,
    decided_by text collate "C" not null,
    because text collate "C" not null,
    recorded_at timestamptz not null,
    constraint identity_decisions_pkey primary key (key),
    constraint identity_decisions_target check ((verdict in ('document', 'email')) = (target <> ''))
);
create index identity_decisions_on on identity_decisions (value, kind, merchant);
create index identity_decisions_to on identity_decisions (target, verdict, merchant);
