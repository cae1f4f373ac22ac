with input as (
    select unhex(value ->> 'id') as id, value ->> 'account' as account, value ->> 'tenant' as tenant, value ->> 'kind' as kind,
           value ->> 'reference' as reference, value ->> 'reason' as reason, value ->> 'not_before' as not_before,
           unhex(value ->> 'receipt') as receipt_id, value ->> 'now' as now
    from jsonb_each($1))
