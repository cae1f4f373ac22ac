drop view payment_subscriptions;
alter table relations add column at timestamptz not null default '1970-01-01 00:00:00+00';
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
drop index customer_providers_email;
drop index customer_providers_natural;
create unique index customer_providers_natural on customer_providers (account, tenant, provider_customer_id)
    where provider_customer_id is not null;
create index customer_providers_email on customer_providers (merchant, email) where email is not null;
create index customer_providers_named on customer_providers (provider_customer_id) where provider_customer_id is not null;
drop index customers_email;
drop index customers_natural;
create unique index customers_natural on customers (merchant, key_kind, key_value);
create index customers_email on customers (merchant, email) where email is not null;
drop index identities_by_customer;
drop index identities_by_document;
drop index identities_by_email;
create index identities_by_email on identities (merchant, email, document) where email <> '';
create index identities_by_document on identities (merchant, document, email) where document <> '';
create index identities_by_customer on identities (account, tenant, provider_customer_id) where provider_customer_id <> '';
alter table payment_names drop constraint payment_names_pkey;
alter table payment_names add constraint payment_names_pkey primary key (account, tenant, name);
create index payment_names_by_name on payment_names (name);
