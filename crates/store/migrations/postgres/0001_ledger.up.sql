-- The ledger. Everything of ours is in the schema `afluente`, which a migration finds first in its search_path.
-- Moments are timestamptz, exact to the microsecond; ids are UUIDs of version 7; money is minor units of `currency`. JSON is
-- kept as text, byte for byte as it was written: the same on every database, and no character is refused or reordered.
-- Texts compare by their bytes, whatever the database's language: that is the order rows are locked in everywhere else.
-- Enum words are text with a CHECK, so that a new word is a migration of one constraint. CHECK what we compute; flag what
-- we are told.

create table merchants (
    slug text collate "C" primary key,
    created_at timestamptz not null
);

-- One row per account of the configuration, written at worker start. No secret, no token, no hash of one.
create table gateway_accounts (
    name text collate "C" primary key,
    merchant text collate "C" not null references merchants (slug),
    provider_v2 text collate "C" not null
        constraint gateway_accounts_provider check (provider_v2 in ('STRIPE', 'PAGARME', 'APPMAX', 'OPENFINANCE', 'MERCADOPAGO')),
    external_account_id text collate "C",
    livemode boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index gateway_accounts_external on gateway_accounts (provider_v2, external_account_id, livemode)
    where external_account_id is not null;

-- Evidence: what came, byte for byte, and the proof as it was checked, once. By week: an id is the time it was made, so that a
-- partition is found by the id alone, and the key is the same as elsewhere.
create table webhook_receipts (
    id uuid primary key,
    received_at timestamptz not null,
    recorded_at timestamptz not null,
    account text collate "C" not null references gateway_accounts (name),
    delivery_id uuid not null,
    kind text collate "C" not null constraint webhook_receipts_kind check (kind in ('WEBHOOK', 'ANSWER', 'OPERATOR')),
    event_id text collate "C",
    event_type text collate "C" not null,
    state text collate "C" not null constraint webhook_receipts_state check (state in ('APPLIED', 'IGNORED', 'PARKED', 'DISCARDED')),
    ignored_because text collate "C",
    proof text collate "C" not null constraint webhook_receipts_proof check (proof in ('signed', 'channel', 'path_token', 'none')),
    proved_by text collate "C",
    released_by text collate "C",
    headers text collate "C" not null,
    query text collate "C",
    traceparent text collate "C",
    body_hash bytea not null constraint webhook_receipts_hash check (length(body_hash) = 32),
    body bytea not null,
    constraint webhook_receipts_ignored check ((state = 'IGNORED') = (ignored_because is not null))
) partition by range (id);
create table webhook_receipts_default partition of webhook_receipts default;
create index webhook_receipts_delivery on webhook_receipts (account, delivery_id);
create index webhook_receipts_event on webhook_receipts (account, event_id);

-- What was recorded already. The body's hash is part of the key: a gateway's test event always has the same id.
create table webhook_dedupe (
    account text collate "C" not null,
    dedupe_key text collate "C" not null,
    body_hash bytea not null,
    receipt_id uuid not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    deliveries bigint not null default 1,
    primary key (account, dedupe_key, body_hash)
);

create table payments (
    id uuid primary key,
    account text collate "C" not null references gateway_accounts (name),
    tenant text collate "C" not null default '',
    provider_payment_id text collate "C" not null,
    provider_v2 text collate "C" not null
        constraint payments_provider check (provider_v2 in ('STRIPE', 'PAGARME', 'APPMAX', 'OPENFINANCE', 'MERCADOPAGO')),
    status_v2 text collate "C" not null constraint payments_status check (status_v2 in (
        'PENDING', 'PROCESSING', 'REQUIRES_ACTION', 'IN_REVIEW', 'AUTHORIZED', 'SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED',
        'FAILED', 'CANCELED', 'EXPIRED', 'DISPUTED', 'CHARGED_BACK', 'UNKNOWN')),
    legacy_word text collate "C",
    currency text collate "C" constraint payments_currency check (currency ~ '^[A-Z]{3}$'),
    authorized_amount bigint not null constraint payments_authorized check (authorized_amount >= 0),
    captured_amount bigint not null constraint payments_captured check (captured_amount >= 0),
    refunded_amount bigint not null constraint payments_refunded check (refunded_amount >= 0),
    refund_pending_amount bigint not null constraint payments_refund_pending check (refund_pending_amount >= 0),
    disputed_amount bigint not null constraint payments_disputed check (disputed_amount >= 0),
    charged_back_amount bigint not null constraint payments_charged_back check (charged_back_amount >= 0),
    capture_state text collate "C" not null constraint payments_capture_state check (capture_state in ('NONE', 'PARTIAL', 'FULL', 'OVER')),
    funding_state text collate "C" not null constraint payments_funding_state check (funding_state in ('EXACT', 'UNDER', 'OVER')),
    dispute_state text collate "C" not null constraint payments_dispute_state
        check (dispute_state in ('NONE', 'INQUIRY', 'OPEN', 'WON', 'LOST', 'ACCEPTED', 'WITHDRAWN')),
    dispute_stage bigint not null constraint payments_dispute_stage check (dispute_stage between 0 and 3),
    risk_state text collate "C" not null constraint payments_risk_state check (risk_state in ('NONE', 'REVIEW', 'APPROVED', 'REJECTED')),
    settlement_state text collate "C" not null constraint payments_settlement_state check (settlement_state in ('NONE', 'PENDING', 'SETTLED')),
    closed_reason text collate "C" constraint payments_closed_reason
        check (closed_reason in ('DECLINED', 'RISK', 'PAYER_LEFT', 'MERCHANT', 'GATEWAY_ERROR', 'DEADLINE')),
    scheduled_for timestamptz,
    expires_at timestamptz,
    evidence text collate "C" not null constraint payments_evidence check (evidence in ('LEGACY', 'VERIFIED', 'FETCHED', 'OPERATOR')),
    capture_inferred boolean not null,
    attempt_count bigint not null constraint payments_attempt_count check (attempt_count >= 0),
    last_failure_code text collate "C",
    contested boolean not null,
    returned_more_than_captured boolean not null,
    mixed_currency boolean not null,
    source_as_of timestamptz,
    fold_version bigint not null,
    fact_count bigint not null,
    row_version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- One-way, so that a lost dispute on a refunded payment fits.
    constraint payments_refunded_within_captured check (refunded_amount <= captured_amount),
    constraint payments_pending_within_captured check (refund_pending_amount <= captured_amount - refunded_amount),
    constraint payments_refunded_means_all check (status_v2 <> 'REFUNDED' or (captured_amount > 0 and refunded_amount = captured_amount)),
    constraint payments_partially_means_between
        check (status_v2 <> 'PARTIALLY_REFUNDED' or (refunded_amount > 0 and refunded_amount < captured_amount)),
    constraint payments_succeeded_means_kept check (status_v2 <> 'SUCCEEDED' or (captured_amount > 0 and refunded_amount = 0)),
    constraint payments_disputes_need_money check (status_v2 not in ('DISPUTED', 'CHARGED_BACK') or captured_amount > 0),
    constraint payments_no_money_taken check (
        status_v2 not in ('PENDING', 'PROCESSING', 'REQUIRES_ACTION', 'IN_REVIEW', 'AUTHORIZED', 'FAILED', 'CANCELED', 'EXPIRED', 'UNKNOWN')
        or captured_amount = 0)
-- Rows change often: room on the page keeps a change from touching every index.
) with (fillfactor = 85);
create unique index payments_natural on payments (account, tenant, provider_payment_id);
create index payments_open on payments (account, updated_at)
    where status_v2 in ('PENDING', 'PROCESSING', 'REQUIRES_ACTION', 'IN_REVIEW', 'AUTHORIZED', 'UNKNOWN');
create index payments_by_update on payments (updated_at, id);

-- The table a legacy application brings is adopted elsewhere; without one, its name is a view.
create view payment_transactions as
select id, account as gateway_account, provider_payment_id, provider_v2, status_v2, legacy_word as status, currency,
       captured_amount as amount, refunded_amount, created_at, updated_at
from payments;

-- Second names of one payment. The names, not the row, so that either may come first.
create table payment_aliases (
    account text collate "C" not null,
    tenant text collate "C" not null,
    alias text collate "C" not null,
    provider_payment_id text collate "C" not null,
    recorded_at timestamptz not null,
    primary key (account, tenant, alias),
    constraint payment_aliases_not_itself check (alias <> provider_payment_id)
);

create table payment_facts (
    payment_id uuid not null references payments (id),
    fact_key bytea not null constraint payment_facts_key check (length(fact_key) = 16),
    -- The name under which the fact came: the payment's own or an alias.
    named text collate "C" not null,
    family text collate "C" not null,
    op text collate "C" not null,
    kind text collate "C" not null,
    at timestamptz,
    op_at timestamptz,
    amount bigint constraint payment_facts_amount check (amount >= 0),
    currency text collate "C" constraint payment_facts_currency check (currency ~ '^[A-Z]{3}$'),
    source text collate "C" not null constraint payment_facts_source check (source in ('legacy', 'webhook', 'list', 'fetch', 'operator')),
    detail text collate "C" not null,
    receipt_id uuid not null,
    recorded_at timestamptz not null,
    primary key (payment_id, fact_key)
);

create table customer_subscriptions (
    id uuid primary key,
    account text collate "C" not null references gateway_accounts (name),
    tenant text collate "C" not null default '',
    provider_subscription_id text collate "C" not null,
    base text collate "C" not null constraint customer_subscriptions_base check (base in (
        'INCOMPLETE', 'PENDING', 'TRIALING', 'ACTIVE', 'PAST_DUE', 'PAUSED', 'SUSPENDED', 'CANCELED', 'EXPIRED', 'UNKNOWN')),
    legacy_word text collate "C",
    reason text collate "C" constraint customer_subscriptions_reason check (reason in (
        'NONPAYMENT', 'CHARGEBACK', 'RISK', 'OPERATOR', 'REVOKED_BY_PAYER', 'REQUESTED', 'GATEWAY', 'NEVER_ACTIVATED', 'COMPLETED')),
    starts_at timestamptz,
    cancel_at timestamptz,
    period_start timestamptz,
    period_end timestamptz,
    trial_end timestamptz,
    grace_until timestamptz,
    ended_at timestamptz,
    pause_kind text collate "C" constraint customer_subscriptions_pause check (pause_kind in ('COLLECTION', 'SERVICE')),
    evidence text collate "C" not null constraint customer_subscriptions_evidence check (evidence in ('LEGACY', 'VERIFIED', 'FETCHED', 'OPERATOR')),
    contested boolean not null,
    source_as_of timestamptz,
    fold_version bigint not null,
    fact_count bigint not null,
    row_version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint customer_subscriptions_service_pause check (base <> 'PAUSED' or pause_kind = 'SERVICE')
);
create unique index customer_subscriptions_natural on customer_subscriptions (account, tenant, provider_subscription_id);

create table subscription_facts (
    subscription_id uuid not null references customer_subscriptions (id),
    fact_key bytea not null constraint subscription_facts_key check (length(fact_key) = 16),
    family text collate "C" not null,
    op text collate "C" not null,
    kind text collate "C" not null,
    at timestamptz,
    op_at timestamptz,
    amount bigint,
    currency text collate "C",
    source text collate "C" not null constraint subscription_facts_source check (source in ('legacy', 'webhook', 'list', 'fetch', 'operator')),
    detail text collate "C" not null,
    receipt_id uuid not null,
    recorded_at timestamptz not null,
    primary key (subscription_id, fact_key)
);

-- Who is behind it, as each envelope claimed. Append-only, so that links can be recomputed and undone.
create table identity_claims (
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
-- `coalesce`, because two nulls are never equal in a unique index.
create unique index identity_claims_content
    on identity_claims (account, tenant, subject_kind, subject_id, claim, value, coalesce(at, timestamptz '-infinity'), source);
create index identity_claims_value on identity_claims (claim, value);

-- What must be read back. Open until answered or given up by a person.
create table wants (
    id uuid primary key,
    account text collate "C" not null references gateway_accounts (name),
    tenant text collate "C" not null,
    kind text collate "C" not null,
    reference text collate "C" not null,
    reason text collate "C" not null,
    not_before timestamptz not null,
    attempts bigint not null default 0,
    last_error text collate "C",
    receipt_id uuid not null,
    created_at timestamptz not null,
    closed_at timestamptz,
    closed_because text collate "C" constraint wants_closed check ((closed_because is null) = (closed_at is null))
);
create unique index wants_open on wants (account, tenant, kind, reference) where closed_at is null;
create index wants_due on wants (not_before) where closed_at is null;

-- Deliveries that could not be handled, sealed as they came, for the desk.
create table dead_letters (
    id uuid primary key,
    delivery_id uuid not null,
    gateway text collate "C" not null,
    account text collate "C",
    reason text collate "C" not null constraint dead_letters_reason check (reason in ('undecodable', 'malformed', 'unknown_account', 'future_dated', 'refused', 'exhausted', 'panicked')),
    error text collate "C" not null,
    attempts bigint not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    seen bigint not null default 1,
    state text collate "C" not null default 'OPEN' constraint dead_letters_state check (state in ('OPEN', 'REPLAYED', 'DISCARDED')),
    settled_at timestamptz,
    settled_by text collate "C",
    settled_because text collate "C",
    body_bytes bigint not null,
    head bytea not null,
    body bytea not null,
    constraint dead_letters_settled check ((state = 'OPEN') = (settled_at is null))
);
create unique index dead_letters_delivery on dead_letters (delivery_id) where state = 'OPEN';
create index dead_letters_by_reason on dead_letters (reason, account, last_seen_at);

-- What changed, for people. By month.
create table lifecycle_events (
    id uuid primary key,
    recorded_at timestamptz not null,
    entity_type text collate "C" not null,
    entity_id uuid not null,
    row_version bigint not null,
    kind text collate "C" not null,
    detail text collate "C" not null,
    receipt_id uuid,
    actor text collate "C" not null
) partition by range (id);
create table lifecycle_events_default partition of lifecycle_events default;
create index lifecycle_events_entity on lifecycle_events (entity_type, entity_id, recorded_at);

-- What is to be announced, once the transaction that decided it has committed.
create table outbox (
    id uuid primary key,
    topic text collate "C" not null,
    key text collate "C" not null,
    payload text collate "C" not null,
    available_at timestamptz not null,
    attempts bigint not null default 0,
    published_at timestamptz
);
create index outbox_due on outbox (available_at, id) where published_at is null;

-- What contradicts itself; for a person, never repaired silently.
create table inconsistencies (
    id uuid primary key,
    kind text collate "C" not null,
    fingerprint text collate "C" not null,
    account text collate "C",
    entity text collate "C" not null,
    detail text collate "C" not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    seen bigint not null default 1,
    resolved_at timestamptz
);
create unique index inconsistencies_open on inconsistencies (fingerprint) where resolved_at is null;

-- Words of a gateway we do not know, with where they stood.
create table unknown_words (
    account text collate "C" not null,
    field text collate "C" not null,
    word text collate "C" not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    seen bigint not null default 1,
    primary key (account, field, word)
);

-- The smallest id of a moment: an id begins with 48 bits of milliseconds.
create function first_id(moment timestamptz) returns uuid language sql stable as $$
    select (lpad(to_hex(floor(extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes one partition, unless it is there. Rows that fell into the default partition for want of it move in.
-- It is made apart and attached: that keeps nobody from writing into the others.
create function make_partition(parent text, suffix text, since timestamptz, until timestamptz) returns boolean
language plpgsql as $$
declare
    made text collate "C" := parent || '_' || suffix;
begin
    if to_regclass(format('%I', made)) is not null then
        return false;
    end if;
    execute format('create table %I (like %I including defaults including constraints)', made, parent);
    execute format('with moved as (delete from %I where id >= %L and id < %L returning *) insert into %I select * from moved',
                   parent || '_default', first_id(since), first_id(until), made);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                   parent, made, first_id(since), first_id(until));
    return true;
end
$$;

-- Makes the partitions of a moment and of the time after it; returns how many were missing. Two at once: one waits.
create function make_partitions(moment timestamptz, weeks integer, months integer) returns bigint language plpgsql as $$
declare
    week timestamp := date_trunc('week', moment at time zone 'UTC');
    month timestamp := date_trunc('month', moment at time zone 'UTC');
    made bigint := 0;
begin
    perform pg_advisory_xact_lock(4827119606);
    for n in 0 .. weeks loop
        made := made + make_partition('webhook_receipts', to_char(week + n * interval '1 week', 'IYYY"w"IW'),
            (week + n * interval '1 week') at time zone 'UTC', (week + (n + 1) * interval '1 week') at time zone 'UTC')::integer;
    end loop;
    for n in 0 .. months loop
        made := made + make_partition('lifecycle_events', to_char(month + n * interval '1 month', 'YYYY"m"MM'),
            (month + n * interval '1 month') at time zone 'UTC', (month + (n + 1) * interval '1 month') at time zone 'UTC')::integer;
    end loop;
    return made;
end
$$;

-- Takes one partition out and drops it whole. Only receipts and events, and never the default.
create function drop_partition(name text) returns void language plpgsql as $$
declare
    parent text;
begin
    select inhparent::regclass::text into parent from pg_inherits
    where inhrelid = to_regclass(format('%I', name)) and name not like '%default'
      and inhparent in ('webhook_receipts'::regclass, 'lifecycle_events'::regclass);
    if parent is null then
        raise exception 'expected a partition of webhook_receipts or lifecycle_events, got %', name using errcode = '22023';
    end if;
    execute format('alter table %s detach partition %I', parent, name);
    execute format('drop table %I', name);
end
$$;

-- From last week on: an id may be older than the row.
select make_partitions(now() - interval '1 week', 10, 5);
