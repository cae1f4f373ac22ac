select id, account, received_at, proof, proved_by, state, body_hash, body
from webhook_receipts
