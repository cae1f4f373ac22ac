with input as (
    select unhex(value ->> 'id') as id, value ->> 'account' as account, value ->> 'tenant' as tenant,
           value ->> 'provider_payment_id' as provider_payment_id, value ->> 'provider' as provider_v2, value ->> 'now' as now
    from jsonb_each($1))
