drop view payment_subscriptions;
drop view customer_payment_methods;
drop table relations;
drop table checkout_sessions;
drop table payment_methods;
drop index customer_providers_named;
drop index customers_by_update;
alter table customers drop column vacant;
