-- Rows of our own making in the proportions the application measured of itself, with every flaw it is known for. {rows} payments.
insert into clinics (id, name, "ownerId", slug, subdomain)
select 'clinic_' || i, 'Clínica ' || i, 'user_' || i, 'clinica-' || i, 'sub' || i from generate_series(1, 40) i;
-- Five clinics have no merchant.
insert into merchants (id, clinic_id, status, recipient_id, external_account_id)
select 'merchant_' || i, 'clinic_' || i, 'ACTIVE', 're_' || i, case when i = 1 then 'acct_1' end from generate_series(1, 35) i;
insert into merchant_integrations (id, merchant_id, provider, credentials)
select 'int_' || i, 'merchant_' || i, 'STRIPE', '{"secret": "never to be read"}' from generate_series(1, 35) i;

-- A tenth as many customers as payments. Every fiftieth e-mail stands twice but for its case; every seventieth has two documents.
insert into customers (id, merchant_id, name, email, phone, document)
select 'cust_' || i, 'merchant_' || (1 + i % 35), 'Pessoa ' || i,
       case when i % 50 = 0 then 'PESSOA' || (i - 1) || '@Exemplo.com' when i % 97 = 0 then null else 'pessoa' || i || '@exemplo.com' end,
       '+55119' || lpad(i::text, 8, '0'),
       case when i % 3 = 0 or i % 100 in (49, 50) then lpad((i * 7919 % 99999999999)::text, 11, '0') end
from generate_series(1, {rows} / 10) i;
insert into customer_providers (id, customer_id, provider, account_id, provider_customer_id)
select 'cp_' || i, 'cust_' || i,
       (case i % 4 when 0 then 'STRIPE' when 1 then 'KRXPAY' when 2 then 'PAGARME' else 'OPENFINANCE' end)::"PaymentProvider",
       case when i % 5 = 0 then null else 'merchant_' || (1 + i % 35) end, 'cus_' || lpad(i::text, 14, '0')
from generate_series(1, {rows} / 20) i;
insert into customer_payment_methods (id, customer_id, customer_provider_id, provider, account_id, provider_payment_method_id, brand, last4,
                                      status, fingerprint, exp_month, exp_year, is_default)
select 'cpm_' || i, 'cust_' || i, 'cp_' || i, 'STRIPE', 'merchant_' || (1 + i % 35), case when i % 3 = 0 then null else 'pm_' || i end,
       'visa', lpad((i % 10000)::text, 4, '0'), case when i % 2 = 0 then 'ACTIVE' else 'active' end, encode(('card' || i)::bytea, 'base64'),
       1 + i % 12, 2030, true
from generate_series(1, {rows} / 100) i;
insert into products (id, clinic_id, "doctorId", name, price, type) select 'prod_' || i, 'clinic_' || i, 'user_' || i, 'Plano ' || i, 100 + i, 'PLAN'
from generate_series(1, 40) i;
insert into offers (id, productid, pricecents, intervalunit, issubscription)
select 'offer_' || i, 'prod_' || i, 100 * (100 + i), 'MONTH', true from generate_series(1, 40) i;
-- Half of the subscriptions are the application's own; of the prepaid ones the id is an order's.
insert into customer_subscriptions (id, customer_id, merchant_id, product_id, provider, account_id, provider_subscription_id, status,
                                    is_native, start_at, current_period_end, price_cents, currency, metadata)
select 'sub_row_' || i, 'cust_' || i, 'merchant_' || (1 + i % 35), 'prod_' || (1 + i % 40),
       (case i % 2 when 0 then 'STRIPE' else 'KRXPAY' end)::"PaymentProvider", 'merchant_' || (1 + i % 35),
       case i % 3 when 0 then 'sub_' || i when 1 then 'or_' || lpad(i::text, 16, '0') else null end, 'ACTIVE', i % 2 = 0,
       timestamp '2025-06-01', timestamp '2025-12-01' + i * interval '1 hour', 9900, 'BRL', '{"interval": "month"}'
from generate_series(1, {rows} / 50) i;

-- One payment each: place in the proportions, and a number of its own that looks like chance.
create temporary table each_payment as
select i, i % 409 as place, ('x' || substr(md5('payment ' || i), 1, 7))::bit(28)::int as chance,
       1 + ('x' || substr(md5('person ' || i), 1, 6))::bit(24)::int % ({rows} / 10) as person,
       timestamp '2025-05-01' + i * (interval '152 days' / {rows}) as moment
from generate_series(1, {rows}) i;

-- Pagar.me: half as krxpay. Most stay in processing although they are paid at the gateway.
insert into payment_transactions (id, provider, provider_order_id, provider_charge_id, clinic_id, merchant_id, product_id, amount_cents,
                                  currency, payment_method_type, status, status_v2, provider_v2, raw_payload, created_at, updated_at, paid_at,
                                  customer_id)
select case chance % 3 when 0 then 'tx_pagarme_or_' || lpad(i::text, 16, '0') else gen.id end,
       case when chance % 2 = 0 then 'krxpay' else 'pagarme' end,
       case when place >= 274 then 'sub_' || lpad(i::text, 16, '0') else 'or_' || lpad(i::text, 16, '0') end,
       case when chance % 4 <> 0 then 'ch_' || lpad(i::text, 16, '0') end,
       'clinic_' || (1 + person % 40), null, 'prod_' || (1 + person % 40), case when chance % 41 = 0 then 0 else 1000 + chance % 90000 end,
       case when chance % 5 = 0 then 'brl' else 'BRL' end,
       case chance % 3 when 0 then 'credit_card' when 1 then 'pix' else 'boleto' end,
       case when place < 189 then 'processing' when place < 244 then 'paid' when place < 259 then 'pending' when place < 268 then 'canceled'
            when place < 274 then 'failed' else 'active' end,
       (case when place between 189 and 243 then case when chance % 6 = 0 then 'PROCESSING' else 'SUCCEEDED' end
             when place between 268 and 273 then 'FAILED' end)::"PaymentStatus",
       (case when chance % 3 = 0 then 'PAGARME' end)::"PaymentProvider",
       case chance % 7
           when 0 then jsonb_build_object('payload', jsonb_build_object('customer', jsonb_build_object('email', 'pessoa' || person || '@exemplo.com'),
                'payments', jsonb_build_array(jsonb_build_object('credit_card', jsonb_build_object('card',
                    jsonb_build_object('number', '4000000000000010', 'cvv', '123'))))))
           when 1 then jsonb_build_object('buyer', jsonb_build_object('email', 'pessoa' || person || '@exemplo.com'), 'productId', 'prod_1')
           when 2 then jsonb_build_object('type', 'charge.paid', 'data', jsonb_build_object('id', 'ch_' || lpad(i::text, 16, '0'),
                'customer', jsonb_build_object('id', 'cus_' || lpad(person::text, 14, '0'), 'email', 'Pessoa' || person || '@exemplo.com',
                    'document', lpad((person * 7919 % 99999999999)::text, 11, '0')),
                'order', jsonb_build_object('id', 'or_' || lpad(i::text, 16, '0'))))
           when 3 then '[1, 2, 3]'::jsonb when 4 then '17'::jsonb when 5 then 'null'::jsonb end,
       moment, moment + interval '3 minutes',
       case when place between 189 and 243 and chance % 2 = 0 or place between 268 and 269 then moment + interval '2 minutes' end,
       case when chance % 2 = 0 then 'cust_' || person end
from each_payment, lateral (select md5('row ' || i)::uuid::text as id) gen
where place < 284;
-- The same order once more under the other spelling; and a placeholder that only knows the charge.
insert into payment_transactions (id, provider, provider_order_id, clinic_id, amount_cents, status, created_at, updated_at)
select 'wh_' || provider_order_id || '_1', case provider when 'krxpay' then 'pagarme' else 'krxpay' end, provider_order_id, clinic_id, 0,
       'processing', created_at, updated_at
from payment_transactions where provider in ('krxpay', 'pagarme') and substr(md5(id), 1, 1) = '0';
insert into payment_transactions (id, provider, provider_order_id, amount_cents, status, status_v2, provider_v2, created_at, updated_at)
select 'wh_' || provider_charge_id || '_2', 'krxpay', provider_charge_id, 0, 'paid', 'SUCCEEDED', 'PAGARME', created_at, updated_at
from payment_transactions where provider = 'pagarme' and provider_charge_id is not null and substr(md5(id), 1, 1) = '1';

insert into payment_transactions (id, provider, provider_order_id, clinic_id, merchant_id, amount_cents, payment_method_type, status,
                                  status_v2, raw_payload, created_at, updated_at, paid_at, customer_id)
select case chance % 4 when 0 then 'appmax_' || i when 1 then 'tx_appmax_' || i || '_202511' else gen.id end, 'appmax', i::text,
       case when chance % 6 = 0 then null else 'clinic_' || (1 + person % 40) end,
       case when chance % 6 = 0 then null else 'merchant_' || (1 + person % 35) end,
       case when chance % 4 = 0 then 0 else 1000 + chance % 90000 end, 'card',
       case when place < 332 then 'processing' when place < 336 then 'paid' when place < 338 then 'refunded' else '200' end,
       (case when place between 332 and 335 then 'SUCCEEDED' else 'PROCESSING' end)::"PaymentStatus",
       jsonb_build_object('step', 'create_order', 'buyer', jsonb_build_object('email', 'pessoa' || person || '@exemplo.com')),
       moment, moment + interval '1 minute', null, case when chance % 2 = 0 then 'cust_' || person end
from each_payment, lateral (select md5('row ' || i)::uuid::text as id) gen
where place between 284 and 338;

-- Open Finance: accepted counts as paid. Recurring ones stand under another spelling.
insert into payment_transactions (id, provider, provider_order_id, clinic_id, amount_cents, payment_method_type, status, raw_payload,
                                  created_at, updated_at)
select case chance % 3 when 0 then 'ob:consent-' || i when 1 then 'state' || i || ':prod_1' else gen.id end,
       case when chance % 8 = 0 then 'LINA_OB' else 'open_banking' end, 'link-' || i, 'clinic_' || (1 + person % 40),
       1000 + chance % 90000, 'pix_ob', case when chance % 30 = 0 then 'pending' else 'paid' end,
       case when chance % 2 = 0 then jsonb_build_object('payer', jsonb_build_object('email', 'pessoa' || person || '@exemplo.com',
            'cpf', lpad((person * 7919 % 99999999999)::text, 11, '0')), 'response', jsonb_build_object('status', 'ACCP')) end,
       moment, moment + interval '1 minute'
from each_payment, lateral (select md5('row ' || i)::uuid::text as id) gen
where place between 339 and 380;

-- Stripe: an intent, one in five by its row's own id alone, and a second row of its invoice.
insert into payment_transactions (id, provider, provider_order_id, merchant_id, amount_cents, status, status_v2, provider_v2, raw_payload,
                                  created_at, updated_at, paid_at, refunded_at)
select case when chance % 5 = 0 then 'pi_' || i else gen.id end, 'stripe', case when chance % 5 = 0 then null else 'pi_' || i end,
       case when chance % 3 = 0 then '' end, 1000 + chance % 90000,
       case when chance % 7 = 0 then 'captured' when chance % 7 = 1 then 'succeeded' when chance % 7 = 2 then 'authorized'
            when chance % 7 = 3 then 'failed' when chance % 11 = 0 then 'refunded' else 'processing' end,
       (case when chance % 7 < 2 then 'SUCCEEDED' when chance % 7 = 3 then 'FAILED' end)::"PaymentStatus",
       (case when chance % 3 = 0 then 'STRIPE' end)::"PaymentProvider",
       jsonb_build_object('provider', 'stripe', 'payment_intent_id', 'pi_' || i, 'buyer', jsonb_build_object('email', 'pessoa' || person || '@exemplo.com')),
       moment, moment + interval '2 minutes', case when chance % 7 < 2 or chance % 14 = 3 then moment end, null
from each_payment, lateral (select md5('row ' || i)::uuid::text as id) gen
where place > 380;
insert into payment_transactions (id, provider, provider_order_id, amount_cents, payment_method_type, status, raw_payload, created_at, updated_at)
select 'inv_in_' || i, 'stripe', 'in_' || i, 9900, 'subscription_renewal', 'paid', jsonb_build_object('invoice_id', 'in_' || i), moment, moment
from each_payment where place > 380 and chance % 9 = 0;

-- Sessions: of every third payment; the column for a Pix order holds charges; two sessions share every hundredth order.
insert into checkout_sessions (id, resume_token, clinic_id, product_id, order_id, pix_order_id, status, email, document, started_at, created_at, updated_at)
select 'sess_' || i, 'resume-' || i, 'clinic_' || (1 + person % 40), 'prod_1',
       case when place < 284 and chance % 2 = 0 then 'or_' || lpad(i::text, 16, '0') when place between 284 and 338 then i::text end,
       case when place < 284 and chance % 2 = 1 then 'ch_' || lpad(i::text, 16, '0') end,
       (case chance % 3 when 0 then 'abandoned' when 1 then 'pix_generated' else 'started' end)::"CheckoutSessionStatus",
       'pessoa' || person || '@exemplo.com', null, moment, moment, moment
from each_payment where i % 3 = 0;
insert into checkout_sessions (id, resume_token, order_id, status, email, started_at, created_at, updated_at)
select id || '_again', resume_token || '-again', order_id, 'started', email, started_at + interval '1 hour', created_at, updated_at
from checkout_sessions where order_id is not null and substr(id, length(id) - 1) = '00';
drop table each_payment;
