-- Who says what to which merchant, and which identity that is.
alter table identity_claims add column merchant text collate "C";
alter table identity_claims add column identity bytea constraint identity_claims_identity check (length(identity) = 16);
update identity_claims set merchant = gateway_accounts.merchant from gateway_accounts where gateway_accounts.name = identity_claims.account;

-- What was said together of who somebody is, and when last. A register of the claims: insert and join, never taken back.
-- Empty texts are values that were not said.
create table identities (
    -- A hash of account, sub-account and the three values.
    key bytea not null constraint identities_key check (length(key) = 16),
    merchant text collate "C" not null,
    account text collate "C" not null,
    tenant text collate "C" not null,
    provider_customer_id text collate "C" not null,
    document text collate "C" not null,
    email text collate "C" not null,
    own boolean not null,
    at timestamptz,
    name text collate "C",
    name_at timestamptz,
    phone text collate "C",
    phone_at timestamptz,
    -- The person: a function of all identities of the merchant.
    customer_id uuid,
    recorded_at timestamptz not null,
    constraint identities_pkey primary key (key),
    constraint identities_something check (provider_customer_id <> '' or document <> '' or email <> '')
) with (fillfactor = 85);
create index identities_by_email on identities (merchant, email, document) where email <> '';
create index identities_by_document on identities (merchant, document, email) where document <> '';
create index identities_by_customer on identities (account, tenant, provider_customer_id) where provider_customer_id <> '';
create index identities_of on identities (customer_id);

create table customers (
    id uuid primary key,
    merchant text collate "C" not null references merchants (slug),
    key_kind text collate "C" not null constraint customers_key_kind check (key_kind in ('document', 'email', 'customer')),
    key_value text collate "C" not null,
    document text collate "C",
    email text collate "C",
    name text collate "C",
    phone text collate "C",
    -- Where whoever it was went: nobody is this one any more.
    merged_into uuid,
    row_version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint customers_by_document check ((key_kind = 'document') = (document is not null)),
    constraint customers_not_itself check (merged_into <> id)
);
create unique index customers_natural on customers (merchant, key_kind, key_value);
create index customers_email on customers (merchant, email) where email is not null;

-- A customer at an account of a gateway, under the gateway's own id once that is known.
create table customer_providers (
    id uuid primary key,
    merchant text collate "C" not null,
    account text collate "C" not null,
    tenant text collate "C" not null,
    provider_customer_id text collate "C",
    customer_id uuid,
    -- What was said of the gateway's customer last.
    document text collate "C",
    email text collate "C",
    linked_by text collate "C"
        constraint customer_providers_linked_by check (linked_by in ('document', 'email', 'customer', 'operator')),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index customer_providers_natural on customer_providers (account, tenant, provider_customer_id)
    where provider_customer_id is not null;
create unique index customer_providers_unnamed on customer_providers (customer_id, account, tenant)
    where provider_customer_id is null;
create index customer_providers_of on customer_providers (customer_id);
create index customer_providers_email on customer_providers (merchant, email) where email is not null;

-- Of a value what cannot be seen from one identity: that it is nobody's own, and whose an address is for who has nothing else.
create table identity_values (
    merchant text collate "C" not null,
    kind text collate "C" not null constraint identity_values_kind check (kind in ('document', 'email')),
    value text collate "C" not null,
    shared boolean not null,
    -- The document whose person owns an address; empty for itself.
    owner text collate "C" not null,
    constraint identity_values_pkey primary key (merchant, kind, value)
);

-- Rows beside the facts that could not be written and have to be made again.
create table dual_write_gaps (
    id uuid primary key,
    target text collate "C" not null constraint dual_write_gaps_target check (target in ('customers', 'legacy')),
    account text collate "C" not null,
    tenant text collate "C" not null,
    subject_kind text collate "C" not null,
    subject_id text collate "C" not null,
    reason text collate "C" not null,
    detail text collate "C" not null,
    receipt_id uuid,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    seen bigint not null default 1,
    repaired_at timestamptz
);
create unique index dual_write_gaps_open on dual_write_gaps (target, account, tenant, subject_kind, subject_id)
    where repaired_at is null;
create index dual_write_gaps_oldest on dual_write_gaps (first_seen_at, id) where repaired_at is null;

-- The identity a payment or a subscription follows, and with it its customer: people move, and no payment is written for that.
alter table payments add column identity bytea constraint payments_identity check (length(identity) = 16);
create index payments_by_identity on payments (identity) where identity is not null;
create index payments_limbo on payments (created_at) where identity is null;
alter table customer_subscriptions add column identity bytea constraint customer_subscriptions_identity check (length(identity) = 16);
create index customer_subscriptions_by_identity on customer_subscriptions (identity) where identity is not null;
-- All names of a payment: what is claimed under one is claimed of it.
create index payment_names_of on payment_names (account, tenant, provider_payment_id);
