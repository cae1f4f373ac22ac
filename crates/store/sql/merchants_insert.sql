insert into merchants (slug, created_at)
select distinct merchant, now from input where true
on conflict do nothing
