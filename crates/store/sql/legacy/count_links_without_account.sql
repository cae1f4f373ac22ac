select 'no account' as of, count(*) as rows from customer_providers where account_id is null having count(*) > 0
