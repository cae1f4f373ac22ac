with input as (
    select value ->> 'account' as account, value ->> 'field' as field, value ->> 'word' as word, value ->> 'now' as now
    from jsonb_each($1))
