do $$
begin
    execute format('alter role current_user in database %I set search_path = afluente', current_database());
end
$$
