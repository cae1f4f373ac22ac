with input as (select value ->> 'merchant' as merchant, value ->> 'now' as now from jsonb_each($1))
