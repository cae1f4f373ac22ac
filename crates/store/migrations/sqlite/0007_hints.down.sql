update wants set strength = case reason when 'hint' then 0 else 1 end where reason in ('hint', 'unconfirmed');
drop index wants_due_proved;
alter table wants drop column proved;
