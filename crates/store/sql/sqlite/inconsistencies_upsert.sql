with input as (
    select unhex(value ->> 'id') as id, value ->> 'kind' as kind, value ->> 'fingerprint' as fingerprint,
           value ->> 'account' as account, value ->> 'entity' as entity, value ->> 'detail' as detail, value ->> 'now' as now
    from jsonb_each($1))
