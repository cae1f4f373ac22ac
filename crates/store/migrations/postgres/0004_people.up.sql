-- Parts of a body that only decorate and could not be read: a JSON list of texts.
alter table webhook_receipts add column notes text collate "C";

-- An amount that the gateway's own rule for its currency forbids: kept, and shown with a mark.
alter table payments add column amount_doubted boolean not null default false;

-- How often it was asked since it was opened: a look-up that began before the last time answers an older question.
alter table wants add column raised bigint not null default 1;
-- Of two reasons the stronger stays.
alter table wants add column strength bigint not null default 0;
update wants set strength = case reason
    when 'unknown_word' then 2 when 'incomplete' then 3 when 'contested' then 4 when 'returned_more_than_captured' then 5 else 0 end;
-- The path to the sub-account as the gateway wrote it, to be sent back with the question.
alter table wants add column context text collate "C";

-- A receipt in which it stood, for whoever looks at it.
alter table unknown_words add column receipt_id uuid;

alter table inconsistencies add column resolved_by text collate "C";
alter table inconsistencies add column resolution text collate "C"
    constraint inconsistencies_resolved check ((resolution is null) = (resolved_by is null) and (resolved_by is null) = (resolved_at is null));

alter table identity_claims drop constraint identity_claims_subject;
alter table identity_claims add constraint identity_claims_subject
    check (subject_kind in ('payment', 'subscription', 'customer', 'method', 'checkout', 'invoice', 'account'));
create index identity_claims_of on identity_claims (subject_id);

-- People ask for a subscription by the gateway's id alone.
create index subscriptions_by_reference on customer_subscriptions (provider_subscription_id);
-- What is only to be confirmed, in the order it becomes due.
create index wants_unconfirmed on wants (not_before, id) where closed_at is null and reason = 'unconfirmed';
