select schema.nspname::text as type_schema, type.typname::text as type_name, label.enumlabel::text as label
from pg_enum label
join pg_type type on type.oid = label.enumtypid
join pg_namespace schema on schema.oid = type.typnamespace
where schema.nspname not in ('pg_catalog', 'information_schema')
order by type.typname, label.enumsortorder
