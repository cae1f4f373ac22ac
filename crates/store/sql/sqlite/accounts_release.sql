with input as (
    select value ->> 'name' as name, value ->> 'merchant' as merchant, value ->> 'provider' as provider,
           value ->> 'external_id' as external_id, value ->> 'livemode' as livemode, value ->> 'replaces' as replaces, value ->> 'now' as now
    from jsonb_each($1))
