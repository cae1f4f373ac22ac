where subscription_id = $1
order by recorded_at, receipt_id, fact_key
