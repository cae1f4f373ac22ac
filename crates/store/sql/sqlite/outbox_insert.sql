with input as (
    select unhex(value ->> 'id') as id, value ->> 'topic' as topic, value ->> 'key' as key, value ->> 'payload' as payload,
           value ->> 'now' as now
    from jsonb_each($1))
