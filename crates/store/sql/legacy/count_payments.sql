select provider as of, count(*) as rows from payment_transactions group by provider order by provider
