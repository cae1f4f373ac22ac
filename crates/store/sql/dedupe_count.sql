update webhook_dedupe set deliveries = deliveries + seen.n, last_seen_at = seen.now
from (select account, dedupe_key, body_hash, count(*) as n, max(now) as now from input group by account, dedupe_key, body_hash
      order by account, dedupe_key, body_hash) as seen
where webhook_dedupe.account = seen.account and webhook_dedupe.dedupe_key = seen.dedupe_key
  and webhook_dedupe.body_hash = seen.body_hash
returning webhook_dedupe.account, webhook_dedupe.dedupe_key, webhook_dedupe.body_hash, webhook_dedupe.receipt_id,
          (select state from webhook_receipts where webhook_receipts.id = webhook_dedupe.receipt_id) as state
