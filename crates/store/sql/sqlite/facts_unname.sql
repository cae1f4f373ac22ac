with input as (
    select unhex(value ->> 'from') as source_id, unhex(value ->> 'to') as target_id, value ->> 'named' as named
    from jsonb_each($1))
