select attribute.attname::text as column_name,
       has_column_privilege(relation.oid, attribute.attnum, 'select') as may_read,
       has_column_privilege(relation.oid, attribute.attnum, 'update') as may_write
from pg_namespace schema
join pg_class relation on relation.relnamespace = schema.oid and relation.relname = 'payment_transactions'
join pg_attribute attribute on attribute.attrelid = relation.oid and attribute.attnum > 0 and not attribute.attisdropped
where schema.nspname = $1
