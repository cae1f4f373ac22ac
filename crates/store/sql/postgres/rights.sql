select class.relname::text
from pg_class class
where class.relnamespace = 'afluente'::regnamespace and class.relkind in ('r', 'p') and not class.relispartition
  and class.relname not like '\_sqlx%'
  and not (has_table_privilege(class.oid, 'select') and has_table_privilege(class.oid, 'insert')
           and has_table_privilege(class.oid, 'update') and has_table_privilege(class.oid, 'delete'))
order by class.relname
