-- One row for everything one envelope says of one subject, with the newest time it was said at. Every event of a payment says
-- the same of it again, and a row a claim and event was the most expensive thing a delivery wrote. The newest of several times
-- is the same in any order.
create table claims_kept (
    -- A hash of who says what of whom. What this migration found has one of its own.
    key blob primary key constraint identity_claims_key check (length(key) = 16),
    account text not null,
    tenant text not null,
    subject_kind text not null
        constraint identity_claims_subject check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice')),
    subject_id text not null,
    -- JSON: pairs of a kind and a value, sorted.
    claims text not null constraint identity_claims_claims check (claims like '[["%'),
    source text not null constraint identity_claims_source check (source in ('legacy', 'webhook', 'list', 'fetch', 'operator')),
    at integer,
    -- Of the newest time.
    receipt_id blob not null,
    recorded_at integer not null
) strict;
-- Beside max(at) the other columns are those of the row that has it.
insert into claims_kept (key, account, tenant, subject_kind, subject_id, claims, source, at, receipt_id, recorded_at)
select randomblob(16), account, tenant, subject_kind, subject_id, json_array(json_array(claim, value)), source, max(at),
       receipt_id, recorded_at
from identity_claims
group by account, tenant, subject_kind, subject_id, claim, value, source;
drop table identity_claims;
alter table claims_kept rename to identity_claims;
-- Nobody looks for a value yet; whoever does will know by what else.
