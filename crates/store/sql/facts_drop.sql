delete from payment_facts where (payment_id, fact_key) in (select owner, fact_key from input)
