select exists (
    select from pg_class class join pg_namespace space on space.oid = class.relnamespace
    where class.relowner = current_user::regrole and class.relkind in ('r', 'p', 'v', 'm', 'f')
      and space.nspname <> 'afluente' and space.nspname <> 'information_schema' and space.nspname not like 'pg\_%')
