select to_regprocedure('afluente.legacy_find(jsonb)') is not null as has_find,
       to_regprocedure('afluente.legacy_write(jsonb)') is not null as has_write,
       to_regclass('afluente.legacy_rows') is not null as has_rows
