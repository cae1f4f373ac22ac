insert into subscription_facts (subscription_id, fact_key, family, op, kind, at, op_at, amount, currency, source, detail,
                                receipt_id, recorded_at)
select owner, fact_key, family, op, kind, at, op_at, amount, currency, source, detail, receipt_id, now
from input where true
on conflict (subscription_id, fact_key) do nothing
returning subscription_id
