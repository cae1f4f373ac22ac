insert into payment_facts (payment_id, fact_key, named, family, op, kind, at, op_at, amount, currency, source, detail,
                           receipt_id, recorded_at)
select input.target_id, fact_key, fact.named, family, op, kind, at, op_at, amount, currency, source, detail, receipt_id, recorded_at
from input join payment_facts fact on fact.payment_id = input.source_id and fact.named = input.named
where true
on conflict (payment_id, fact_key) do nothing
