//! The columns by which rows are compared and shown: everything a row says about the world, nothing about how it got here.

use std::fmt;

use afluente_model::{ClosedReason, Currency, PauseKind, Payment, Subscription, SubscriptionReason, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The value of a column, as JSON shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing is known: `null`.
    Nothing,
    /// A word or a text.
    Word(&'a str),
    /// A count, or minor units of the currency.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A moment: RFC 3339.
    At(Timestamp),
}

/// A name and its value.
pub type Column<'a> = (&'static str, Cell<'a>);

/// A column that differs: its name, the old value and the new.
pub type Difference<'a> = (&'static str, Cell<'a>, Cell<'a>);

/// The columns of a payment row, in the order people read them.
#[must_use]
pub fn of_payment(payment: &Payment) -> Vec<Column<'_>> {
    let amounts = &payment.amounts;
    vec![
        ("status_v2", Cell::Word(payment.status.as_str())),
        ("legacy_word", text(payment.word.as_deref())),
        ("currency", text(payment.currency.as_ref().map(Currency::as_str))),
        ("authorized_amount", Cell::Number(amounts.authorized.minor())),
        ("captured_amount", Cell::Number(amounts.captured.minor())),
        ("refunded_amount", Cell::Number(amounts.refunded.minor())),
        ("refund_pending_amount", Cell::Number(amounts.refund_pending.minor())),
        ("disputed_amount", Cell::Number(amounts.disputed.minor())),
        ("charged_back_amount", Cell::Number(amounts.charged_back.minor())),
        ("capture_state", Cell::Word(payment.capture_state.as_str())),
        ("funding_state", Cell::Word(payment.funding_state.as_str())),
        ("dispute_state", Cell::Word(payment.dispute_state.as_str())),
        ("dispute_stage", Cell::Number(payment.dispute_stage.into())),
        ("risk_state", Cell::Word(payment.risk_state.as_str())),
        ("settlement_state", Cell::Word(payment.settlement_state.as_str())),
        ("closed_reason", text(payment.closed_reason.map(ClosedReason::as_str))),
        ("scheduled_for", time(payment.scheduled_for)),
        ("expires_at", time(payment.expires_at)),
        ("evidence", Cell::Word(payment.evidence.as_str())),
        ("capture_inferred", Cell::Flag(payment.capture_inferred)),
        ("attempt_count", Cell::Number(payment.attempt_count.into())),
        ("last_failure_code", text(payment.last_failure_code.as_deref())),
        ("contested", Cell::Flag(payment.contested)),
        ("returned_more_than_captured", Cell::Flag(payment.returned_more_than_captured)),
        ("mixed_currency", Cell::Flag(payment.mixed_currency)),
        ("amount_doubted", Cell::Flag(payment.amount_doubted)),
        ("source_as_of", time(payment.source_as_of)),
    ]
}

/// The columns of a subscription row.
#[must_use]
pub fn of_subscription(subscription: &Subscription) -> Vec<Column<'_>> {
    vec![
        ("base", Cell::Word(subscription.base.as_str())),
        ("legacy_word", text(subscription.word.as_deref())),
        ("reason", text(subscription.reason.map(SubscriptionReason::as_str))),
        ("starts_at", time(subscription.starts_at)),
        ("cancel_at", time(subscription.cancel_at)),
        ("period_start", time(subscription.period_start)),
        ("period_end", time(subscription.period_end)),
        ("trial_end", time(subscription.trial_end)),
        ("grace_until", time(subscription.grace_until)),
        ("ended_at", time(subscription.ended_at)),
        ("pause_kind", text(subscription.pause_kind.map(PauseKind::as_str))),
        ("evidence", Cell::Word(subscription.evidence.as_str())),
        ("contested", Cell::Flag(subscription.contested)),
        ("source_as_of", time(subscription.source_as_of)),
    ]
}

fn time(at: Option<Timestamp>) -> Cell<'static> {
    at.map_or(Cell::Nothing, Cell::At)
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Nothing, Cell::Word)
}

/// The columns that differ.
#[must_use]
pub fn difference<'a>(old: &[Column<'a>], new: &[Column<'a>]) -> Vec<Difference<'a>> {
    let both = old.iter().zip(new).filter(|((_, old), (_, new))| old != new);
    both.map(|((name, old), (_, new))| (*name, *old, *new)).collect()
}

impl Cell<'_> {
    /// Whether a reader learns nothing from it: nothing, no, zero or `NONE`.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        matches!(self, Cell::Nothing | Cell::Flag(false) | Cell::Number(0) | Cell::Word("NONE"))
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Nothing => serializer.serialize_none(),
            Cell::Word(word) => serializer.serialize_str(word),
            Cell::Number(number) => serializer.serialize_i64(*number),
            Cell::Flag(flag) => serializer.serialize_bool(*flag),
            Cell::At(at) => serializer.collect_str(at),
        }
    }
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Value {
        match cell {
            Cell::Nothing => Value::Null,
            Cell::Word(word) => word.into(),
            Cell::Number(number) => number.into(),
            Cell::Flag(flag) => flag.into(),
            Cell::At(at) => at.to_string().into(),
        }
    }
}

/// As JSON.
impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::from(*self).fmt(f)
    }
}
