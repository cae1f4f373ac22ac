select parent.relname::text as table, part.relname::text as name, greatest(part.reltuples, 0)::bigint as rows,
       pg_total_relation_size(part.oid) as bytes, part.relname like '%\_default' as is_default
from pg_inherits
join pg_class parent on parent.oid = inhparent
join pg_class part on part.oid = inhrelid
where parent.oid in ('webhook_receipts'::regclass, 'lifecycle_events'::regclass)
order by parent.relname desc, is_default, part.relname
