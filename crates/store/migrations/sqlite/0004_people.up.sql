-- Parts of a body that only decorate and could not be read: a JSON list of texts.
alter table webhook_receipts add column notes text;

-- An amount that the gateway's own rule for its currency forbids: kept, and shown with a mark.
alter table payments add column amount_doubted integer not null default 0
    constraint payments_amount_doubted check (amount_doubted in (0, 1));

-- How often it was asked since it was opened: a look-up that began before the last time answers an older question.
alter table wants add column raised integer not null default 1;
-- Of two reasons the stronger stays.
alter table wants add column strength integer not null default 0;
update wants set strength = case reason
    when 'unknown_word' then 2 when 'incomplete' then 3 when 'contested' then 4 when 'returned_more_than_captured' then 5 else 0 end;
-- The path to the sub-account as the gateway wrote it, to be sent back with the question.
alter table wants add column context text;

-- A receipt in which it stood, for whoever looks at it.
alter table unknown_words add column receipt_id blob;

alter table inconsistencies add column resolved_by text;
alter table inconsistencies add column resolution text
    constraint inconsistencies_resolved check ((resolution is null) = (resolved_by is null) and (resolved_by is null) = (resolved_at is null));

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
    recorded_at integer not null
) strict;
insert into claims_kept (key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at)
select key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at from identity_claims;
drop table identity_claims;
alter table claims_kept rename to identity_claims;
create index identity_claims_of on identity_claims (subject_id);

-- People ask for a subscription by the gateway's id alone.
create index subscriptions_by_reference on customer_subscriptions (provider_subscription_id);
-- What is only to be confirmed, in the order it becomes due.
create index wants_unconfirmed on wants (not_before, id) where closed_at is null and reason = 'unconfirmed';
