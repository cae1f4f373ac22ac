select greatest(relation.reltuples, 0)::bigint as estimated
from pg_class relation join pg_namespace schema on schema.oid = relation.relnamespace
where schema.nspname = $1 and relation.relname = $2
