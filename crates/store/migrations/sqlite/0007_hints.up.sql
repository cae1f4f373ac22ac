-- Whether anything that was proved asks for it: 1, or 0 where nobody signed what did. Proved ones are asked first.
alter table wants add column proved integer not null default 1;
create index wants_due_proved on wants (account, proved, due_at) where closed_at is null;
-- What was only said in passing answers itself once its payment is known; a hint that something changed does not: it is the stronger.
update wants set strength = case reason when 'hint' then 1 else 0 end where reason in ('hint', 'unconfirmed');
