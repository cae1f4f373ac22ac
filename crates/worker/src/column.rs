//! The columns by which rows are compared and shown: everything a row says about the world, nothing about how it got here.

use afluente_model::{Payment, Subscription, Timestamp};
use serde_json::{Value, json};

/// The columns of a payment row, in the order people read them.
#[must_use]
pub fn of_payment(payment: &Payment) -> Vec<(&'static str, Value)> {
    let amounts = &payment.amounts;
    vec![
        ("status_v2", json!(payment.status.as_str())),
        ("legacy_word", json!(payment.word)),
        ("currency", json!(payment.currency.map(|currency| currency.to_string()))),
        ("authorized_amount", json!(amounts.authorized.minor())),
        ("captured_amount", json!(amounts.captured.minor())),
        ("refunded_amount", json!(amounts.refunded.minor())),
        ("refund_pending_amount", json!(amounts.refund_pending.minor())),
        ("disputed_amount", json!(amounts.disputed.minor())),
        ("charged_back_amount", json!(amounts.charged_back.minor())),
        ("capture_state", json!(payment.capture_state.as_str())),
        ("funding_state", json!(payment.funding_state.as_str())),
        ("dispute_state", json!(payment.dispute_state.as_str())),
        ("dispute_stage", json!(payment.dispute_stage)),
        ("risk_state", json!(payment.risk_state.as_str())),
        ("settlement_state", json!(payment.settlement_state.as_str())),
        ("closed_reason", json!(payment.closed_reason.map(afluente_model::ClosedReason::as_str))),
        ("scheduled_for", time(payment.scheduled_for)),
        ("expires_at", time(payment.expires_at)),
        ("evidence", json!(payment.evidence.as_str())),
        ("capture_inferred", json!(payment.capture_inferred)),
        ("attempt_count", json!(payment.attempt_count)),
        ("last_failure_code", json!(payment.last_failure_code)),
        ("contested", json!(payment.contested)),
        ("returned_more_than_captured", json!(payment.returned_more_than_captured)),
        ("mixed_currency", json!(payment.mixed_currency)),
        ("source_as_of", time(payment.source_as_of)),
    ]
}

/// The columns of a subscription row.
#[must_use]
pub fn of_subscription(subscription: &Subscription) -> Vec<(&'static str, Value)> {
    vec![
        ("base", json!(subscription.base.as_str())),
        ("legacy_word", json!(subscription.word)),
        ("reason", json!(subscription.reason.map(afluente_model::SubscriptionReason::as_str))),
        ("starts_at", time(subscription.starts_at)),
        ("cancel_at", time(subscription.cancel_at)),
        ("period_start", time(subscription.period_start)),
        ("period_end", time(subscription.period_end)),
        ("trial_end", time(subscription.trial_end)),
        ("grace_until", time(subscription.grace_until)),
        ("ended_at", time(subscription.ended_at)),
        ("pause_kind", json!(subscription.pause_kind.map(afluente_model::PauseKind::as_str))),
        ("evidence", json!(subscription.evidence.as_str())),
        ("contested", json!(subscription.contested)),
        ("source_as_of", time(subscription.source_as_of)),
    ]
}

fn time(at: Option<Timestamp>) -> Value {
    json!(at.map(|at| at.to_string()))
}

/// The columns that differ, as (name, old, new).
#[must_use]
pub fn difference(old: &[(&'static str, Value)], new: &[(&'static str, Value)]) -> Vec<(&'static str, Value, Value)> {
    old.iter()
        .zip(new)
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| (*name, old.clone(), new.clone()))
        .collect()
}
