select payment_id as owner, named, fact_key, family, op, kind, at, op_at, amount, currency, source, detail, receipt_id, recorded_at
from payment_facts
