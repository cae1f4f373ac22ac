drop index wants_due_proved;
alter table wants drop column proved;
