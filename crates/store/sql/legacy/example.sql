-- An application's payment rows, as many as a measurement has payments, with the indexes such a table has.
create type public."PaymentStatus" as enum ('PENDING', 'PROCESSING', 'REQUIRES_ACTION', 'SUCCEEDED', 'FAILED', 'CANCELED', 'EXPIRED',
    'REFUNDING', 'REFUNDED', 'PARTIALLY_REFUNDED', 'CHARGEBACK', 'DISPUTED');
create type public."PaymentProvider" as enum ('STRIPE', 'PAGARME', 'APPMAX', 'OPENFINANCE', 'MERCADOPAGO');
create table public.payment_transactions (
    id text primary key, provider text not null, provider_order_id text, provider_charge_id text, clinic_id text, merchant_id text,
    amount_cents int not null default 0, currency text not null default 'BRL', status text not null default 'processing',
    status_v2 public."PaymentStatus", provider_v2 public."PaymentProvider", raw_payload jsonb, customer_id text,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now(), paid_at timestamptz
);
insert into public.payment_transactions (id, provider, provider_order_id, provider_charge_id, clinic_id, raw_payload)
select 'row_' || place, 'stripe', 'pi_bench' || lpad(place::text, 9, '0'), 'ch_bench' || lpad(place::text, 9, '0'), 'clinic_' || place % 40,
       jsonb_build_object('buyer', jsonb_build_object('email', 'payer' || place || '@example.com'))
from generate_series(0, {payments}) place;
create unique index on public.payment_transactions (provider, provider_order_id);
create unique index on public.payment_transactions (provider, provider_charge_id);
create index on public.payment_transactions (provider_order_id);
create index on public.payment_transactions (provider_charge_id);
create index on public.payment_transactions (clinic_id);
create index on public.payment_transactions (status);
create index on public.payment_transactions (status_v2);
create index on public.payment_transactions (provider_v2);
create index on public.payment_transactions (customer_id);
create index on public.payment_transactions (updated_at);
create index on public.payment_transactions (merchant_id, status);
create index on public.payment_transactions (clinic_id, created_at);
analyze public.payment_transactions;
