delete from subscription_facts where (subscription_id, fact_key) in (select owner, fact_key from input)
