-- What either way of building has alike.
create table webhook_events (
    id uuid primary key default gen_random_uuid(), provider text not null, hook_id text not null, type text not null,
    provider_event_id text, resource_order_id text, resource_charge_id text, status text, raw jsonb not null,
    received_at timestamptz not null default now(), processed boolean not null default false, retry_count int not null default 0,
    max_retries int not null default 3, next_retry_at timestamptz, moved_dead_letter boolean not null default false,
    dead_letter_reason text, unique (provider, hook_id), unique (provider, provider_event_id)
);
create table products (id text primary key, clinic_id text, "doctorId" text, name text, price numeric, type text, trialdays int);
create table offers (id text primary key, productid text references products (id), pricecents int, intervalunit text, issubscription boolean);
create table purchases (id text primary key, "externalIdempotencyKey" text, status text);
create table openbanking_payments (
    id uuid primary key default gen_random_uuid(), payment_link_id text unique, status text, amount_cents int, payer jsonb
);
create index payment_transactions_clinic on payment_transactions (clinic_id);
create index payment_transactions_status on payment_transactions (status);
create index payment_transactions_status_v2 on payment_transactions (status_v2);
create index payment_transactions_provider_v2 on payment_transactions (provider_v2);
create index payment_transactions_customer on payment_transactions (customer_id);
create index payment_transactions_updated on payment_transactions (updated_at);
create index payment_transactions_order on payment_transactions (provider_order_id);
