drop view payment_aliases;
create table payment_aliases (
    account text collate "C" not null,
    tenant text collate "C" not null,
    alias text collate "C" not null,
    provider_payment_id text collate "C" not null,
    recorded_at timestamptz not null,
    primary key (account, tenant, alias),
    constraint payment_aliases_not_itself check (alias <> provider_payment_id)
);
insert into payment_aliases (account, tenant, alias, provider_payment_id, recorded_at)
select account, tenant, name, provider_payment_id, recorded_at from payment_names where name <> provider_payment_id;
drop table payment_names;
drop index payments_by_reference;
drop index dead_letters_latest;
drop index dead_letters_content;
-- The older key holds one letter a delivery: of several the latest stays open.
update dead_letters set state = 'DISCARDED', settled_at = last_seen_at, settled_by = 'migration', settled_because = 'older schema'
where state = 'OPEN' and exists (
    select 1 from dead_letters later
    where later.delivery_id = dead_letters.delivery_id and later.state = 'OPEN'
      and (later.last_seen_at, later.id) > (dead_letters.last_seen_at, dead_letters.id));
create unique index dead_letters_delivery on dead_letters (delivery_id) where state = 'OPEN';
alter table dead_letters drop column body_hash;
drop table ledger_probe;
