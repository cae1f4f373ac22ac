update payments set
    status_v2 = input.status_v2, legacy_word = input.legacy_word, currency = input.currency,
    authorized_amount = input.authorized_amount, captured_amount = input.captured_amount,
    refunded_amount = input.refunded_amount, refund_pending_amount = input.refund_pending_amount,
    disputed_amount = input.disputed_amount, charged_back_amount = input.charged_back_amount,
    capture_state = input.capture_state, funding_state = input.funding_state, dispute_state = input.dispute_state,
    dispute_stage = input.dispute_stage, risk_state = input.risk_state, settlement_state = input.settlement_state,
    closed_reason = input.closed_reason, scheduled_for = input.scheduled_for, expires_at = input.expires_at,
    evidence = input.evidence, capture_inferred = input.capture_inferred, attempt_count = input.attempt_count,
    last_failure_code = input.last_failure_code, contested = input.contested,
    returned_more_than_captured = input.returned_more_than_captured, mixed_currency = input.mixed_currency,
    amount_doubted = input.amount_doubted,
    source_as_of = input.source_as_of, fold_version = input.fold_version, fact_count = input.fact_count,
    row_version = input.row_version, updated_at = input.updated_at
from input
where payments.id = input.id
