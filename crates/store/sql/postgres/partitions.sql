select parent.relname::text as table, part.relname::text as name, greatest(part.reltuples, 0)::bigint as rows,
       pg_total_relation_size(part.oid) as bytes,
       case when part.relname ~ '_\d{4}w\d\d$' then
               (to_date(right(part.relname, 7), 'IYYY"w"IW') + interval '7 days') at time zone 'UTC'
            when part.relname ~ '_\d{4}m\d\d$' then
               (to_date(right(part.relname, 7), 'YYYY"m"MM') + interval '1 month') at time zone 'UTC'
       end as until
from pg_inherits
join pg_class parent on parent.oid = inhparent
join pg_class part on part.oid = inhrelid
where parent.oid in ('webhook_receipts'::regclass, 'lifecycle_events'::regclass)
order by parent.relname desc, until
