with input as (
    select unhex(value ->> 'id') as id, value ->> 'state' as state, value ->> 'ignored_because' as ignored_because,
           value ->> 'event_type' as event_type
    from jsonb_each($1))
