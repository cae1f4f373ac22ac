insert into payment_facts (payment_id, fact_key, named, family, op, kind, at, op_at, amount, currency, source, detail,
                           receipt_id, recorded_at)
select owner, fact_key, named, family, op, kind, at, op_at, amount, currency, source, detail, receipt_id, now
from input where true
on conflict (payment_id, fact_key) do nothing
returning payment_id
