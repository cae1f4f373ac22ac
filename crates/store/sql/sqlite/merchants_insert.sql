with input as (select value ->> 'merchant' as merchant, value ->> 'now' as now from json_each($1))
