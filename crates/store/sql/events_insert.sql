insert into lifecycle_events (id, recorded_at, entity_type, entity_id, row_version, kind, detail, receipt_id, actor)
select id, now, entity_type, entity_id, row_version, kind, detail, receipt_id, actor
from input
