delete from payment_facts
where exists (select 1 from input where input.source_id = payment_facts.payment_id and input.named = payment_facts.named)
