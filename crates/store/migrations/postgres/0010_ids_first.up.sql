-- The id first in every index: with account or merchant in front a planner that knows nothing of a table yet takes any of them for as good
-- as another, and reads all rows of an account to find one.
alter table payment_names drop constraint payment_names_pkey;
alter table payment_names add constraint payment_names_pkey primary key (name, account, tenant);
drop index payment_names_by_name;
drop index identities_by_email;
drop index identities_by_document;
drop index identities_by_customer;
create index identities_by_email on identities (email, merchant, document) where email <> '';
create index identities_by_document on identities (document, merchant, email) where document <> '';
create index identities_by_customer on identities (provider_customer_id, account, tenant) where provider_customer_id <> '';
drop index customers_natural;
drop index customers_email;
create unique index customers_natural on customers (key_value, key_kind, merchant);
create index customers_email on customers (email, merchant) where email is not null;
-- A person who asks for a gateway's customer knows neither account nor sub-account: this serves him too.
drop index customer_providers_named;
drop index customer_providers_natural;
drop index customer_providers_email;
create unique index customer_providers_natural on customer_providers (provider_customer_id, account, tenant)
    where provider_customer_id is not null;
create index customer_providers_email on customer_providers (email, merchant) where email is not null;

-- What belongs together is said once: a time of it nobody reads, and writing it anew with every delivery is a third of what a claim costs.
drop view payment_subscriptions;
alter table relations drop column at;
create view payment_subscriptions as
select account, tenant, subject_id as payment, value as provider_subscription_id
from relations where subject_kind = 'payment' and kind = 'subscription'
union all
select paid.account, paid.tenant, paid.subject_id, belongs.value
from relations paid
join relations belongs
  on belongs.subject_kind = 'invoice' and belongs.subject_id = paid.value and belongs.kind = 'subscription'
 and belongs.account = paid.account and belongs.tenant = paid.tenant
where paid.subject_kind = 'payment' and paid.kind = 'invoice'
union all
select paid.account, paid.tenant, paid.value, belongs.value
from relations paid
join relations belongs
  on belongs.subject_kind = 'invoice' and belongs.subject_id = paid.subject_id and belongs.kind = 'subscription'
 and belongs.account = paid.account and belongs.tenant = paid.tenant
where paid.subject_kind = 'invoice' and paid.kind = 'payment';
