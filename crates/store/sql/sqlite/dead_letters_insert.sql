with input as (
    select unhex(value ->> 'id') as id, unhex(value ->> 'delivery_id') as delivery_id, value ->> 'gateway' as gateway,
           value ->> 'account' as account, value ->> 'reason' as reason, value ->> 'error' as error,
           value ->> 'attempts' as attempts, value ->> 'first_seen_at' as first_seen_at, value ->> 'now' as now,
           value ->> 'len' as body_bytes, unhex(value ->> 'hash') as body_hash, substr($2, value ->> 'head_off', value ->> 'head_len') as head,
           substr($2, value ->> 'off', value ->> 'len') as body
    from jsonb_each($1))
