select status as of, count(*) as rows from payment_transactions group by status order by count(*) desc, status
