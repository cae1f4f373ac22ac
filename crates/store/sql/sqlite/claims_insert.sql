with input as (
    select value ->> 'account' as account, value ->> 'tenant' as tenant, value ->> 'subject_kind' as subject_kind,
           value ->> 'subject_id' as subject_id, value ->> 'claim' as claim, value ->> 'value' as claimed, value ->> 'at' as at,
           value ->> 'source' as source, unhex(value ->> 'receipt') as receipt_id, value ->> 'now' as now
    from jsonb_each($1))
