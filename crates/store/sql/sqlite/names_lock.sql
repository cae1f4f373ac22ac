with input as (
    select value ->> 'account' as account, value ->> 'tenant' as tenant, value ->> 'name' as name,
           value ->> 'payment' as payment, value ->> 'now' as now
    from jsonb_each($1))
