with input as (select unhex(value ->> 'owner') as owner, unhex(value ->> 'key') as fact_key from jsonb_each($1))
