-- Who says what to which merchant, and which identity that is.
alter table identity_claims add column merchant text;
alter table identity_claims add column identity blob constraint identity_claims_identity check (length(identity) = 16);
update identity_claims set merchant = (select merchant from gateway_accounts where name = identity_claims.account);

-- What was said together of who somebody is, and when last. A register of the claims: insert and join, never taken back.
-- Empty texts are values that were not said.
create table identities (
    -- A hash of account, sub-account and the three values.
    key blob not null constraint identities_key check (length(key) = 16),
    merchant text not null,
    account text not null,
    tenant text not null,
    provider_customer_id text not null,
    document text not null,
    email text not null,
    own integer not null constraint identities_own check (own in (0, 1)),
    at integer,
    name text,
    name_at integer,
    phone text,
    phone_at integer,
    -- The person: a function of all identities of the merchant.
    customer_id blob,
    recorded_at integer not null,
    primary key (key),
    constraint identities_something check (provider_customer_id <> '' or document <> '' or email <> '')
) strict;
create index identities_by_email on identities (merchant, email, document) where email <> '';
create index identities_by_document on identities (merchant, document, email) where document <> '';
create index identities_by_customer on identities (account, tenant, provider_customer_id) where provider_customer_id <> '';
create index identities_of on identities (customer_id);

create table customers (
    id blob primary key constraint customers_id check (length(id) = 16),
    merchant text not null references merchants (slug),
    key_kind text not null constraint customers_key_kind check (key_kind in ('document', 'email', 'customer')),
    key_value text not null,
    document text,
    email text,
    name text,
    phone text,
    -- Where whoever it was went: nobody is this one any more.
    merged_into blob,
    row_version integer not null,
    created_at integer not null,
    updated_at integer not null,
    constraint customers_by_document check ((key_kind = 'document') = (document is not null)),
    constraint customers_not_itself check (merged_into <> id)
) strict;
create unique index customers_natural on customers (merchant, key_kind, key_value);
create index customers_email on customers (merchant, email) where email is not null;

-- A customer at an account of a gateway, under the gateway's own id once that is known.
create table customer_providers (
    id blob primary key constraint customer_providers_id check (length(id) = 16),
    merchant text not null,
    account text not null,
    tenant text not null,
    provider_customer_id text,
    customer_id blob,
    -- What was said of the gateway's customer last.
    document text,
    email text,
    linked_by text
        constraint customer_providers_linked_by check (linked_by in ('document', 'email', 'customer', 'operator')),
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index customer_providers_natural on customer_providers (account, tenant, provider_customer_id)
    where provider_customer_id is not null;
create unique index customer_providers_unnamed on customer_providers (customer_id, account, tenant)
    where provider_customer_id is null;
create index customer_providers_of on customer_providers (customer_id);
create index customer_providers_email on customer_providers (merchant, email) where email is not null;

-- Of a value what cannot be seen from one identity: that it is nobody's own, and whose an address is for who has nothing else.
create table identity_values (
    merchant text not null,
    kind text not null constraint identity_values_kind check (kind in ('document', 'email')),
    value text not null,
    shared integer not null constraint identity_values_shared check (shared in (0, 1)),
    -- The document whose person owns an address; empty for itself.
    owner text not null,
    primary key (merchant, kind, value)
) strict, without rowid;

-- Rows beside the facts that could not be written and have to be made again.
create table dual_write_gaps (
    id blob primary key constraint dual_write_gaps_id check (length(id) = 16),
    target text not null constraint dual_write_gaps_target check (target in ('customers', 'legacy')),
    account text not null,
    tenant text not null,
    subject_kind text not null,
    subject_id text not null,
    reason text not null,
    detail text not null,
    receipt_id blob,
    first_seen_at integer not null,
    last_seen_at integer not null,
    seen integer not null default 1,
    repaired_at integer
) strict;
create unique index dual_write_gaps_open on dual_write_gaps (target, account, tenant, subject_kind, subject_id)
    where repaired_at is null;
create index dual_write_gaps_oldest on dual_write_gaps (first_seen_at, id) where repaired_at is null;

-- The identity a payment or a subscription follows, and with it its customer: people move, and no payment is written for that.
alter table payments add column identity blob constraint payments_identity check (length(identity) = 16);
create index payments_by_identity on payments (identity) where identity is not null;
create index payments_limbo on payments (created_at) where identity is null;
alter table customer_subscriptions add column identity blob constraint customer_subscriptions_identity check (length(identity) = 16);
create index customer_subscriptions_by_identity on customer_subscriptions (identity) where identity is not null;
-- All names of a payment: what is claimed under one is claimed of it.
create index payment_names_of on payment_names (account, tenant, provider_payment_id);
