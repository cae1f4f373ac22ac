-- Whether anything that was proved asks for it: 1, or 0 where nobody signed what did. Proved ones are asked first.
alter table wants add column proved integer not null default 1;
create index wants_due_proved on wants (account, proved, due_at) where closed_at is null;
