-- One row that is written to find out whether the ledger can be written.
create table ledger_probe (
    id integer primary key constraint ledger_probe_one check (id = 1),
    filler blob not null
) strict;

-- A second body under one delivery id is another dead letter. Letters from before have no hash and stay as they are.
alter table dead_letters add column body_hash blob
    constraint dead_letters_hash check (length(body_hash) = 32);
drop index dead_letters_delivery;
create unique index dead_letters_content on dead_letters (delivery_id, body_hash) where state = 'OPEN';
create index dead_letters_latest on dead_letters (last_seen_at, id) where state = 'OPEN';

-- People ask for a payment by the gateway's id alone, or by another name of it.
create index payments_by_reference on payments (provider_payment_id);
create index payment_aliases_by_name on payment_aliases (alias);
