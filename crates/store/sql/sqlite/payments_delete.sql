with input as (select unhex(value ->> 'id') as id from json_each($1))
