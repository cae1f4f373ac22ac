with input as (
    select unhex(value ->> 'id') as id, value ->> 'received_at' as received_at, value ->> 'now' as now,
           value ->> 'account' as account, unhex(value ->> 'delivery_id') as delivery_id, value ->> 'event' as event_id,
           value ->> 'event_type' as event_type, value ->> 'state' as state, value ->> 'ignored_because' as ignored_because,
           value ->> 'proof' as proof, value ->> 'proved_by' as proved_by, value ->> 'released_by' as released_by,
           value ->> 'headers' as headers, value ->> 'query' as query, value ->> 'traceparent' as traceparent,
           unhex(value ->> 'hash') as body_hash, substr($2, value ->> 'off', value ->> 'len') as body
    from jsonb_each($1))
