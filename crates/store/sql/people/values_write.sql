insert into identity_values (merchant, kind, value, shared, owner)
select merchant, kind, value, shared, owner from input where true
on conflict (merchant, kind, value) do update set shared = excluded.shared, owner = excluded.owner
