drop table identity_decisions;
delete from identity_claims where subject_kind = 'decision';
alter table identity_claims drop constraint identity_claims_subject;
alter table identity_claims add constraint identity_claims_subject
    check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice', 'account'));
