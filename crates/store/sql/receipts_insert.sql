insert into webhook_receipts (id, received_at, recorded_at, account, delivery_id, kind, event_id, event_type, state, ignored_because,
                              notes, proof, proved_by, released_by, headers, query, traceparent, call, status, body_hash, body)
select id, received_at, now, account, delivery_id, kind, event_id, event_type, state, ignored_because,
       notes, proof, proved_by, released_by, headers, query, traceparent, call, status, body_hash, body
from input
