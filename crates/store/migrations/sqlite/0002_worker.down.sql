drop index payment_aliases_by_name;
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
