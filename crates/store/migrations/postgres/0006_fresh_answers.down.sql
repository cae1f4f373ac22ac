alter table wants drop column rests_until;
alter table wants drop column fresh_from;
