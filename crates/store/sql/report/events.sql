select recorded_at, row_version, kind, detail, receipt_id, actor
from lifecycle_events
where entity_type = $1 and entity_id = $2
order by recorded_at, row_version, id
