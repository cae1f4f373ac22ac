create table claims_kept (
    account text not null,
    tenant text not null,
    subject_kind text not null
        constraint identity_claims_subject check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice')),
    subject_id text not null,
    claim text not null,
    value text not null constraint identity_claims_value check (value <> ''),
    at integer,
    source text not null constraint identity_claims_source check (source in ('legacy', 'webhook', 'list', 'fetch', 'operator')),
    receipt_id blob not null,
    recorded_at integer not null
) strict;
insert into claims_kept (account, tenant, subject_kind, subject_id, claim, value, at, source, receipt_id, recorded_at)
select account, tenant, subject_kind, subject_id, json_extract(said.value, '$[0]'), json_extract(said.value, '$[1]'), at, source,
       min(receipt_id), min(recorded_at)
from identity_claims, json_each(claims) as said
group by account, tenant, subject_kind, subject_id, json_extract(said.value, '$[0]'), json_extract(said.value, '$[1]'), at, source;
drop table identity_claims;
alter table claims_kept rename to identity_claims;
create unique index identity_claims_content
    on identity_claims (account, tenant, subject_kind, subject_id, claim, value, ifnull(at, -1), source);
create index identity_claims_value on identity_claims (claim, value);
