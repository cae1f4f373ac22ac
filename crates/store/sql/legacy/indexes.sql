select relation.relname::text as table_name, indexed.indisunique as is_unique,
       array(select attribute.attname::text
             from unnest(indexed.indkey) with ordinality as key (attnum, place)
             left join pg_attribute attribute on attribute.attrelid = relation.oid and attribute.attnum = key.attnum
             where attribute.attname is not null
             order by key.place) as column_names
from pg_namespace schema
join pg_class relation on relation.relnamespace = schema.oid and relation.relkind in ('r', 'p')
join pg_index indexed on indexed.indrelid = relation.oid and indexed.indisvalid
where schema.nspname = $1
order by relation.relname, indexed.indexrelid
