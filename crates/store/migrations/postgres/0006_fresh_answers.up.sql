-- A call that began before this saw what was there before the newest notice: its answer does not close the question.
alter table wants add column fresh_from timestamptz not null default 'epoch';
-- How long new notices of one object put the call off.
alter table wants add column rests_until timestamptz not null default 'epoch';
