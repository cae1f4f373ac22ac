with input as (select unhex(value ->> 'owner') as owner from json_each($1))
