select relation.relname::text as table_name, attribute.attname::text as column_name,
       format_type(attribute.atttypid, attribute.atttypmod) as type_text, type.typtype = 'e' as is_enum,
       type.typname::text as type_name, type_schema.nspname::text as type_schema,
       pg_get_userbyid(relation.relowner)::text as owner
from pg_namespace schema
join pg_class relation on relation.relnamespace = schema.oid and relation.relkind in ('r', 'p')
join pg_attribute attribute on attribute.attrelid = relation.oid and attribute.attnum > 0 and not attribute.attisdropped
join pg_type type on type.oid = attribute.atttypid
join pg_namespace type_schema on type_schema.oid = type.typnamespace
where schema.nspname = $1
order by relation.relname, attribute.attnum
