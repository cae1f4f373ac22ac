with input as (
    select unhex(value ->> 'id') as id, value ->> 'account' as account, value ->> 'key' as dedupe_key,
           unhex(value ->> 'hash') as body_hash, value ->> 'now' as now
    from jsonb_each($1))
