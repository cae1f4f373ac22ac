-- One row that is written to find out whether the ledger can be written.
create table ledger_probe (
    id bigint primary key constraint ledger_probe_one check (id = 1),
    filler bytea not null
);
-- Zeros would be compressed to nothing, and a full disk would not be noticed.
alter table ledger_probe alter column filler set storage external;

-- A second body under one delivery id is another dead letter. Letters from before have no hash and stay as they are.
alter table dead_letters add column body_hash bytea
    constraint dead_letters_hash check (length(body_hash) = 32);
drop index dead_letters_delivery;
create unique index dead_letters_content on dead_letters (delivery_id, body_hash) where state = 'OPEN';
create index dead_letters_latest on dead_letters (last_seen_at, id) where state = 'OPEN';

-- People ask for a payment by the gateway's id alone.
create index payments_by_reference on payments (provider_payment_id);

-- Every name a payment was ever called by, with the name that stays; its own name stands for itself. A row here is what two
-- workers lock before either looks at what the name means.
create table payment_names (
    account text collate "C" not null,
    tenant text collate "C" not null,
    name text collate "C" not null,
    provider_payment_id text collate "C" not null,
    recorded_at timestamptz not null,
    primary key (account, tenant, name)
);
insert into payment_names (account, tenant, name, provider_payment_id, recorded_at)
select account, tenant, alias, provider_payment_id, recorded_at from payment_aliases;
insert into payment_names (account, tenant, name, provider_payment_id, recorded_at)
select account, tenant, provider_payment_id, provider_payment_id, created_at from payments where true
on conflict do nothing;
create index payment_names_by_name on payment_names (name);
drop table payment_aliases;
create view payment_aliases as
select account, tenant, name as alias, provider_payment_id, recorded_at
from payment_names
where name <> provider_payment_id;
