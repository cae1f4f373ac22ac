-- One row a claim, with the newest time it was made at. Who says the same with every event of a payment adds nothing to know
-- but that time, and a row for each of them was the most expensive thing a delivery wrote. The newest of several times is
-- the same in any order.
create table claims_kept (
    account text not null,
    tenant text not null,
    subject_kind text not null
        constraint identity_claims_subject check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice')),
    subject_id text not null,
    claim text not null,
    value text not null constraint identity_claims_value check (value <> ''),
    source text not null constraint identity_claims_source check (source in ('legacy', 'webhook', 'list', 'fetch', 'operator')),
    at integer,
    -- Of the newest time.
    receipt_id blob not null,
    recorded_at integer not null,
    primary key (account, tenant, subject_kind, subject_id, claim, value, source)
) strict, without rowid;
-- Beside max(at) the other columns are those of the row that has it.
insert into claims_kept (account, tenant, subject_kind, subject_id, claim, value, source, at, receipt_id, recorded_at)
select account, tenant, subject_kind, subject_id, claim, value, source, max(at), receipt_id, recorded_at
from identity_claims
group by account, tenant, subject_kind, subject_id, claim, value, source;
drop table identity_claims;
alter table claims_kept rename to identity_claims;
-- Nobody looks for a value yet; whoever does will know by what else.
