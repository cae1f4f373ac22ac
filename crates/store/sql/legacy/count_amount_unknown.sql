select 'amount 0' as of, count(*) as rows from payment_transactions where amount_cents = 0 having count(*) > 0
