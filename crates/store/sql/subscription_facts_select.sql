select subscription_id as owner, '' as named, fact_key, family, op, kind, at, op_at, amount, currency, source, detail, receipt_id,
       recorded_at
from subscription_facts
