with input as (
    select value ->> 'account' as account, value ->> 'tenant' as tenant, value ->> 'alias' as alias,
           value ->> 'payment' as payment, value ->> 'now' as now
    from jsonb_each($1))
