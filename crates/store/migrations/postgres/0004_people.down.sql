drop index wants_unconfirmed;
drop index subscriptions_by_reference;
drop index identity_claims_of;
delete from identity_claims where subject_kind = 'account';
alter table identity_claims drop constraint identity_claims_subject;
alter table identity_claims add constraint identity_claims_subject
    check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice'));
alter table inconsistencies drop column resolution;
alter table inconsistencies drop column resolved_by;
alter table unknown_words drop column receipt_id;
alter table wants drop column context;
alter table wants drop column strength;
alter table wants drop column raised;
alter table payments drop column amount_doubted;
alter table webhook_receipts drop column notes;
