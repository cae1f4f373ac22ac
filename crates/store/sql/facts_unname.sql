delete from payment_facts
where (payment_id, fact_key) in (
    select fact.payment_id, fact.fact_key
    from input join payment_facts fact on fact.payment_id = input.source_id and fact.named = input.named)
