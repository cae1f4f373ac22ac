with input as (
    select value ->> 'account' as account, value ->> 'tenant' as tenant, value ->> 'provider_payment_id' as provider_payment_id
    from jsonb_each($1))
