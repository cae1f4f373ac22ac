-- A call that began before this saw what was there before the newest notice: its answer does not close the question.
alter table wants add column fresh_from integer not null default 0;
-- How long new notices of one object put the call off.
alter table wants add column rests_until integer not null default 0;
