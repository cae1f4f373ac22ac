with input as (
    select unhex(value ->> 'id') as id, value ->> 'entity_type' as entity_type, unhex(value ->> 'entity') as entity_id,
           value ->> 'row_version' as row_version, value ->> 'kind' as kind, value ->> 'detail' as detail,
           unhex(value ->> 'receipt') as receipt_id, value ->> 'actor' as actor, value ->> 'now' as now
    from jsonb_each($1))
