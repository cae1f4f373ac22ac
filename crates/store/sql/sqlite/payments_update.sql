with input as (
    select unhex(value ->> 'id') as id, value ->> 'status_v2' as status_v2, value ->> 'legacy_word' as legacy_word,
           value ->> 'currency' as currency, value ->> 'authorized_amount' as authorized_amount,
           value ->> 'captured_amount' as captured_amount, value ->> 'refunded_amount' as refunded_amount,
           value ->> 'refund_pending_amount' as refund_pending_amount,
           value ->> 'disputed_amount' as disputed_amount, value ->> 'charged_back_amount' as charged_back_amount,
           value ->> 'capture_state' as capture_state, value ->> 'funding_state' as funding_state,
           value ->> 'dispute_state' as dispute_state, value ->> 'dispute_stage' as dispute_stage,
           value ->> 'risk_state' as risk_state, value ->> 'settlement_state' as settlement_state,
           value ->> 'closed_reason' as closed_reason, value ->> 'scheduled_for' as scheduled_for,
           value ->> 'expires_at' as expires_at, value ->> 'evidence' as evidence,
           value ->> 'capture_inferred' as capture_inferred, value ->> 'attempt_count' as attempt_count,
           value ->> 'last_failure_code' as last_failure_code, value ->> 'contested' as contested,
           value ->> 'returned_more_than_captured' as returned_more_than_captured,
           value ->> 'mixed_currency' as mixed_currency, value ->> 'source_as_of' as source_as_of,
           value ->> 'fold_version' as fold_version, value ->> 'fact_count' as fact_count,
           value ->> 'row_version' as row_version, value ->> 'now' as now
    from jsonb_each($1))
