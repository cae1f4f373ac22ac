-- The application as its scripts build it: varchar, timestamptz, uniques, split columns, both spellings of some columns.
create type "SubscriptionStatus" as enum ('TRIAL', 'ACTIVE', 'PAST_DUE', 'CANCELED', 'INCOMPLETE', 'INCOMPLETE_EXPIRED', 'PENDING');
create type subscription_status as enum ('TRIAL', 'ACTIVE', 'PAST_DUE', 'CANCELED', 'INCOMPLETE', 'INCOMPLETE_EXPIRED', 'PENDING');
alter type "PaymentProvider" add value 'APPMAX';

create table clinics (
    id text primary key, name text not null, "ownerId" text, "isActive" boolean not null default true,
    "createdAt" timestamptz not null default now(), slug text unique, subdomain text unique, current_gateway text
);
create table merchants (
    id text primary key, clinic_id text not null unique, status "MerchantStatus" not null default 'PENDING', recipient_id text,
    external_account_id text, split_percent int not null default 85, platform_fee_bps int not null default 0,
    transaction_fee_cents int not null default 0,
    transaction_fee_type varchar(20) not null default 'flat' check (transaction_fee_type in ('flat', 'percent'))
);
create table merchant_integrations (
    id text primary key, merchant_id text not null, provider "PaymentProvider" not null, credentials jsonb not null,
    is_active boolean not null default true, is_primary boolean not null default false, unique (merchant_id, provider)
);
create table customers (
    id text primary key, merchant_id text, "merchantId" text, name text, email text, phone text, document text, address jsonb,
    metadata jsonb, created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
    "createdAt" timestamptz not null default now(), "updatedAt" timestamptz not null default now(), unique (merchant_id, email)
);
create table customer_providers (
    id text primary key, customer_id text not null, provider "PaymentProvider" not null, account_id text, provider_customer_id text,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
    unique (provider, account_id, provider_customer_id), unique (customer_id, provider, account_id)
);
create table customer_payment_methods (
    id text primary key, customer_id text not null, customer_provider_id text, provider "PaymentProvider" not null, account_id text,
    provider_payment_method_id text, brand text, last4 text, status text, fingerprint text, exp_month int, exp_year int,
    is_default boolean not null default false, created_at timestamptz not null default now(),
    unique (provider, account_id, provider_payment_method_id)
);
create table customer_subscriptions (
    id text primary key, customer_id text not null, merchant_id text not null, product_id text not null, offer_id text,
    provider "PaymentProvider" not null, account_id text, customer_provider_id text, provider_subscription_id text,
    vault_payment_method_id text, status subscription_status not null default 'TRIAL', is_native boolean not null default true,
    start_at timestamptz not null default now(), trial_ends_at timestamptz, current_period_start timestamptz,
    current_period_end timestamptz, cancel_at timestamptz, canceled_at timestamptz, price_cents int not null,
    currency "Currency" not null, metadata jsonb
);
create table checkout_sessions (
    id text primary key, resume_token text not null unique, clinic_id text, product_id text, offer_id text, slug text,
    provider "PaymentProvider", order_id text, pix_order_id text, payment_method text not null default 'unknown',
    status "CheckoutSessionStatus" not null default 'started', email text, phone text, document text,
    payment_transaction_id text unique, pix_expires_at timestamptz, metadata jsonb, reminders jsonb,
    started_at timestamptz not null default now(), created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create table payment_transactions (
    id text primary key, provider text not null, provider_order_id text, provider_charge_id text, doctor_id text,
    patient_profile_id text, clinic_id text, merchant_id text, product_id text, amount_cents int not null default 0,
    currency varchar(10) not null default 'BRL', installments int, payment_method_type varchar(30),
    status varchar(30) not null default 'processing', status_v2 "PaymentStatus", provider_v2 "PaymentProvider", raw_payload jsonb,
    created_at timestamptz not null default now(), updated_at timestamptz default now(), paid_at timestamptz, captured_at timestamptz,
    refunded_at timestamptz, refund_status text, routed_provider text, customer_id text, customer_provider_id text,
    customer_payment_method_id text, customer_subscription_id text, billing_period_start timestamptz, billing_period_end timestamptz,
    clinic_amount_cents bigint, platform_amount_cents bigint, platform_fee_cents bigint, refunded_cents bigint,
    fee_payer varchar(20) not null default 'clinic' check (fee_payer in ('clinic', 'buyer', 'split')), client_name text,
    client_email text, unique (provider, provider_order_id)
);
create unique index payment_transactions_charge on payment_transactions (provider, provider_charge_id) where provider_charge_id is not null;
