-- One row a claim, with the newest time it was made at. Who says the same with every event of a payment adds nothing to know
-- but that time, and a row for each of them was the most expensive thing a delivery wrote. The newest of several times is
-- the same in any order.
create table claims_kept (
    account text collate "C" not null,
    tenant text collate "C" not null,
    subject_kind text collate "C" not null
        constraint identity_claims_subject check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice')),
    subject_id text collate "C" not null,
    claim text collate "C" not null,
    value text collate "C" not null constraint identity_claims_value check (value <> ''),
    source text collate "C" not null constraint identity_claims_source check (source in ('legacy', 'webhook', 'list', 'fetch', 'operator')),
    at timestamptz,
    -- Of the newest time.
    receipt_id uuid not null,
    recorded_at timestamptz not null,
    constraint identity_claims_key primary key (account, tenant, subject_kind, subject_id, claim, value, source)
-- A newer time changes no index: with room on the page it stays there.
) with (fillfactor = 85);
insert into claims_kept (account, tenant, subject_kind, subject_id, claim, value, source, at, receipt_id, recorded_at)
select distinct on (account, tenant, subject_kind, subject_id, claim, value, source)
       account, tenant, subject_kind, subject_id, claim, value, source, at, receipt_id, recorded_at
from identity_claims
order by account, tenant, subject_kind, subject_id, claim, value, source, at desc nulls last;
drop table identity_claims;
alter table claims_kept rename to identity_claims;
-- Nobody looks for a value yet; whoever does will know by what else.
