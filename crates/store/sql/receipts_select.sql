select webhook_receipts.id, webhook_receipts.account, gateway_accounts.provider_v2, webhook_receipts.received_at, webhook_receipts.kind,
       webhook_receipts.delivery_id,
       webhook_receipts.proof, webhook_receipts.proved_by, webhook_receipts.released_by, webhook_receipts.headers, webhook_receipts.query,
       webhook_receipts.traceparent, webhook_receipts.call, webhook_receipts.status, webhook_receipts.state, webhook_receipts.body_hash,
       webhook_receipts.body
from webhook_receipts join gateway_accounts on gateway_accounts.name = webhook_receipts.account
