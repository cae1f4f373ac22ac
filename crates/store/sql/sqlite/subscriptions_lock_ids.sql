with input as (select unhex(value ->> 'id') as id from jsonb_each($1))
