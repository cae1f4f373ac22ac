with input as (
    select unhex(value ->> 'id') as id, value ->> 'state' as state, value ->> 'by' as settled_by,
           value ->> 'because' as settled_because, value ->> 'now' as now
    from jsonb_each($1))
