//! What a fold changes of a payment's row, on its way into the ledger.

use afluente_model::{Amounts, ClosedReason, Currency, FOLD_VERSION};

use crate::cell::Moment;
use crate::payment::PaymentRow;
use crate::rows::rows;

rows! {
    /// What a fold may change of a payment's row.
    #[allow(clippy::struct_excessive_bools, reason = "the columns are what they are")]
    pub(crate) struct FoldedInput<'a> {
        id: uuid,
        status_v2: text,
        legacy_word: opt text,
        currency: opt text,
        authorized_amount: int,
        captured_amount: int,
        refunded_amount: int,
        refund_pending_amount: int,
        disputed_amount: int,
        charged_back_amount: int,
        capture_state: text,
        funding_state: text,
        dispute_state: text,
        dispute_stage: int,
        risk_state: text,
        settlement_state: text,
        closed_reason: opt text,
        scheduled_for: opt moment,
        expires_at: opt moment,
        evidence: text,
        capture_inferred: flag,
        attempt_count: int,
        last_failure_code: opt text,
        contested: flag,
        returned_more_than_captured: flag,
        mixed_currency: flag,
        amount_doubted: flag,
        source_as_of: opt moment,
        fold_version: int,
        fact_count: int,
        row_version: int,
        updated_at: moment,
    }
    UPDATE = "payments_update";
}

impl<'a> From<&'a PaymentRow> for FoldedInput<'a> {
    fn from(row: &'a PaymentRow) -> FoldedInput<'a> {
        let payment = &row.payment;
        let Amounts { authorized, captured, refunded, refund_pending, disputed, charged_back } = payment.amounts;
        FoldedInput {
            id: row.id.into(),
            status_v2: payment.status.as_str(),
            legacy_word: payment.word.as_deref(),
            currency: payment.currency.as_ref().map(Currency::as_str),
            authorized_amount: authorized.minor(),
            captured_amount: captured.minor(),
            refunded_amount: refunded.minor(),
            refund_pending_amount: refund_pending.minor(),
            disputed_amount: disputed.minor(),
            charged_back_amount: charged_back.minor(),
            capture_state: payment.capture_state.as_str(),
            funding_state: payment.funding_state.as_str(),
            dispute_state: payment.dispute_state.as_str(),
            dispute_stage: payment.dispute_stage.into(),
            risk_state: payment.risk_state.as_str(),
            settlement_state: payment.settlement_state.as_str(),
            closed_reason: payment.closed_reason.map(ClosedReason::as_str),
            scheduled_for: payment.scheduled_for.map(Moment::from),
            expires_at: payment.expires_at.map(Moment::from),
            evidence: payment.evidence.as_str(),
            capture_inferred: payment.capture_inferred,
            attempt_count: payment.attempt_count.into(),
            last_failure_code: payment.last_failure_code.as_deref(),
            contested: payment.contested,
            returned_more_than_captured: payment.returned_more_than_captured,
            mixed_currency: payment.mixed_currency,
            amount_doubted: payment.amount_doubted,
            source_as_of: payment.source_as_of.map(Moment::from),
            fold_version: FOLD_VERSION.into(),
            fact_count: row.fact_count,
            row_version: row.row_version,
            updated_at: row.updated_at.into(),
        }
    }
}
