select relation.relname::text as table_name, trigger.tgname::text as trigger_name,
       trigger.tgtype & 16 <> 0 as on_update, routine.prosrc as body
from pg_namespace schema
join pg_class relation on relation.relnamespace = schema.oid
join pg_trigger trigger on trigger.tgrelid = relation.oid and not trigger.tgisinternal
join pg_proc routine on routine.oid = trigger.tgfoid
where schema.nspname = $1 and trigger.tgenabled <> 'D'
order by relation.relname, trigger.tgname
