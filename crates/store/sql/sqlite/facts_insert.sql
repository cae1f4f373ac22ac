with input as (
    select unhex(value ->> 'owner') as owner, unhex(value ->> 'key') as fact_key, value ->> 'named' as named,
           value ->> 'family' as family, value ->> 'op' as op, value ->> 'kind' as kind, value ->> 'at' as at,
           value ->> 'op_at' as op_at, value ->> 'amount' as amount, value ->> 'currency' as currency,
           value ->> 'source' as source, value ->> 'detail' as detail, unhex(value ->> 'receipt') as receipt_id,
           value ->> 'now' as now
    from jsonb_each($1))
