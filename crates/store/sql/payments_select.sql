select payments.id, payments.account, payments.tenant, payments.provider_payment_id, payments.provider_v2, payments.status_v2,
       payments.legacy_word, payments.currency, payments.authorized_amount, payments.captured_amount, payments.refunded_amount,
       payments.refund_pending_amount, payments.disputed_amount, payments.charged_back_amount, payments.capture_state,
       payments.funding_state, payments.dispute_state, payments.dispute_stage, payments.risk_state, payments.settlement_state,
       payments.closed_reason, payments.scheduled_for, payments.expires_at, payments.evidence, payments.capture_inferred,
       payments.attempt_count, payments.last_failure_code, payments.contested, payments.returned_more_than_captured,
       payments.mixed_currency, payments.amount_doubted, payments.source_as_of, payments.fold_version, payments.fact_count, payments.row_version,
       payments.created_at, payments.updated_at
from payments
