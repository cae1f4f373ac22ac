-- What was asked, as JSON, and the status of the answer: of receipts of the kind ANSWER.
alter table webhook_receipts add column call text collate "C";
alter table webhook_receipts add column status bigint;
alter table webhook_receipts add constraint webhook_receipts_call check ((kind = 'ANSWER') = (call is not null));
alter table webhook_receipts add constraint webhook_receipts_status check ((kind = 'ANSWER') = (status is not null));

-- Until when what was answered last says to wait: a new question does not shorten it.
alter table wants add column held_until timestamptz not null default 'epoch';
-- Until when somebody is asking. Who dies meanwhile leaves it to the next.
alter table wants add column taken_until timestamptz not null default 'epoch';
alter table wants add column due_at timestamptz generated always as (greatest(not_before, held_until, taken_until)) stored;
-- How often the gateway said that there is no such thing.
alter table wants add column absences bigint not null default 0;
-- Who gave it up, if a person did.
alter table wants add column closed_by text collate "C";
alter table wants rename column last_error to last_outcome;
drop index wants_due;
create index wants_due on wants (account, due_at) where closed_at is null;

-- How many calls an account made in a month, against its budget.
create table lookup_calls (
    account text collate "C" not null,
    -- As YYYY-MM, in UTC.
    month text collate "C" not null constraint lookup_calls_month check (month ~ '^[0-9]{4}-[0-9]{2}$'),
    calls bigint not null constraint lookup_calls_calls check (calls >= 0),
    primary key (account, month)
);
