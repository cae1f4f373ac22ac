-- The id first: a lookup by name would find nothing better in the old one than account and sub-account, and read all their names.
drop index payment_names_of;
create index payment_names_of on payment_names (provider_payment_id, account, tenant);

-- Nobody is this one any more; in another order of deliveries it would never have been there.
alter table customers add column vacant integer not null default 0 constraint customers_vacant check (vacant in (0, 1));
create index customers_by_update on customers (updated_at, id);
-- A person who asks for a gateway's customer knows neither account nor sub-account.
create index customer_providers_named on customer_providers (provider_customer_id) where provider_customer_id is not null;
update customers set vacant = not exists (select 1 from identities where identities.customer_id = customers.id);

-- What somebody pays with, as claims describe it: a register each field, joined and never taken back. An empty text was not said;
-- what was said at no known time is as of 1970.
create table payment_methods (
    -- A hash of account, sub-account and the gateway's id; where it has none, of kind, fingerprint and identity.
    key blob not null constraint payment_methods_key check (length(key) = 16),
    merchant text not null,
    account text not null,
    tenant text not null,
    provider_method_id text,
    kind text not null constraint payment_methods_kind check (kind in ('', 'CARD', 'PIX', 'BOLETO', 'ACCOUNT', 'OTHER')),
    kind_at integer not null,
    brand text not null,
    brand_at integer not null,
    last4 text not null constraint payment_methods_last4 check (last4 = '' or length(last4) = 4),
    last4_at integer not null,
    -- The month until the end of which a card may be used: 2031-07.
    expiry text not null constraint payment_methods_expiry check (expiry = '' or length(expiry) = 7),
    expiry_at integer not null,
    fingerprint text not null,
    fingerprint_at integer not null,
    attachment text not null constraint payment_methods_attachment check (attachment in ('', 'attached', 'detached')),
    attachment_at integer not null,
    -- The gateway has it no more, for ever.
    deleted integer not null constraint payment_methods_deleted check (deleted in (0, 1)),
    -- When a payment was made with it last.
    used_at integer,
    -- Whose it is: of all identities it was claimed with the one that says most, and of those the newest.
    owner_rank integer not null,
    owner_at integer not null,
    identity blob constraint payment_methods_identity check (length(identity) = 16),
    recorded_at integer not null,
    primary key (key)
) strict;
create unique index payment_methods_natural on payment_methods (account, tenant, provider_method_id)
    where provider_method_id is not null;
create index payment_methods_by_identity on payment_methods (identity) where identity is not null;

create table checkout_sessions (
    -- A hash of account, sub-account and the gateway's id.
    key blob not null constraint checkout_sessions_key check (length(key) = 16),
    merchant text not null,
    account text not null,
    tenant text not null,
    provider_session_id text not null,
    status_v2 text not null
        constraint checkout_sessions_status check (status_v2 in ('UNKNOWN', 'OPEN', 'EXPIRED', 'CANCELED', 'COMPLETED')),
    status_rank integer not null,
    status_at integer not null,
    owner_rank integer not null,
    owner_at integer not null,
    identity blob constraint checkout_sessions_identity check (length(identity) = 16),
    recorded_at integer not null,
    primary key (key)
) strict;
create unique index checkout_sessions_natural on checkout_sessions (account, tenant, provider_session_id);
create index checkout_sessions_by_identity on checkout_sessions (identity) where identity is not null;

-- What claims say belongs together: a payment's method, an invoice's subscription, a session's payment, the shop's own reference.
create table relations (
    -- A hash of everything but the time.
    key blob not null constraint relations_key check (length(key) = 16),
    account text not null,
    tenant text not null,
    subject_kind text not null,
    subject_id text not null,
    kind text not null constraint relations_kind check (kind in ('method', 'subscription', 'invoice', 'payment', 'order', 'reference')),
    value text not null,
    at integer not null,
    primary key (key)
) strict, without rowid;
create index relations_of on relations (subject_id, subject_kind, account, tenant);
create index relations_by_value on relations (value, kind, account, tenant);

-- Methods with whose they are. Of those that may be used the newest used is the default; two that were never used, the smaller.
create view customer_payment_methods as
with owned as (
    select payment_methods.key, identities.customer_id, payment_methods.merchant, payment_methods.account, payment_methods.tenant,
           payment_methods.provider_method_id, payment_methods.kind, payment_methods.brand, payment_methods.last4,
           payment_methods.expiry, payment_methods.fingerprint, payment_methods.used_at, payment_methods.identity,
           case when payment_methods.deleted then 'DELETED' when payment_methods.attachment = 'detached' then 'DETACHED'
                else 'ACTIVE' end as state,
           -- One person may be known by several identities: what has no id of the gateway's is there once for each.
           row_number() over (
               partition by identities.customer_id, payment_methods.account, payment_methods.tenant,
                            coalesce(payment_methods.provider_method_id, ''), payment_methods.kind, payment_methods.fingerprint
               order by payment_methods.used_at desc nulls last, payment_methods.key) as copy
    from payment_methods left join identities on identities.key = payment_methods.identity
)
select key, customer_id, merchant, account, tenant, provider_method_id, kind, brand, last4, expiry, fingerprint, state, used_at,
       state = 'ACTIVE' and customer_id is not null and 1 = row_number() over (
           partition by customer_id
           order by case when state = 'ACTIVE' then 0 else 1 end, used_at desc nulls last, account, tenant,
                    coalesce(provider_method_id, ''), kind, fingerprint) as is_default,
       identity
from owned
where copy = 1;

-- The subscriptions of payments: said of the payment, or of its invoice.
create view payment_subscriptions as
select account, tenant, subject_id as payment, value as provider_subscription_id, at
from relations where subject_kind = 'payment' and kind = 'subscription'
union all
select paid.account, paid.tenant, paid.subject_id, belongs.value, belongs.at
from relations paid
join relations belongs
  on belongs.subject_kind = 'invoice' and belongs.subject_id = paid.value and belongs.kind = 'subscription'
 and belongs.account = paid.account and belongs.tenant = paid.tenant
where paid.subject_kind = 'payment' and paid.kind = 'invoice'
union all
select paid.account, paid.tenant, paid.value, belongs.value, belongs.at
from relations paid
join relations belongs
  on belongs.subject_kind = 'invoice' and belongs.subject_id = paid.subject_id and belongs.kind = 'subscription'
 and belongs.account = paid.account and belongs.tenant = paid.tenant
where paid.subject_kind = 'invoice' and paid.kind = 'payment';
