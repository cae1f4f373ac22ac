with input as (
    select unhex(value ->> 'id') as id, value ->> 'account' as account, value ->> 'tenant' as tenant,
           value ->> 'provider_subscription_id' as provider_subscription_id, value ->> 'now' as now
    from jsonb_each($1))
