insert into ledger_probe (id, filler) values (1, $1)
on conflict (id) do update set filler = excluded.filler
