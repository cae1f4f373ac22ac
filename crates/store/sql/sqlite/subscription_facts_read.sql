with input as (select unhex(value ->> 'owner') as owner from jsonb_each($1))
