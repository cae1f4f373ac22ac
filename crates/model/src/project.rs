//! The projection: one row read off a folded state. Total and pure; MERGE's section 5 in code, in its order.

mod amounts;
mod status;
mod view;

use crate::fact::DetailKey;
use crate::fold::State;
use crate::kind::{AttemptKind, CaptureKind, PaymentKind};
use crate::money::{Amount, Currency, Scale};
use crate::status::{
    CaptureState, ClosedReason, DisputeState, Evidence, FundingState, PaymentStatus, RiskState, SettlementState,
};
use crate::time::{Resolution, Timestamp};
pub use amounts::Amounts;
use amounts::Sums;
use status::Judgement;
use view::View;

/// The op of an attempt that is known at the level of the whole payment only.
pub const INTENT_OP: &str = "pi";

/// The version of the rules below. Changing what a set of facts projects to means a new number and a refold.
pub const FOLD_VERSION: i32 = 2;

/// What we believe about a payment: everything here is a function of its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent flags, each a column of its own")]
pub struct Payment {
    /// `status_v2`.
    pub status: PaymentStatus,
    /// The currency of all amounts; none until a fact names one.
    pub currency: Option<Currency>,
    /// The six amounts.
    pub amounts: Amounts,
    /// Captured against asked for.
    pub capture_state: CaptureState,
    /// Paid against asked for, in the gateway's words.
    pub funding_state: FundingState,
    /// The worst dispute.
    pub dispute_state: DisputeState,
    /// 0 inquiry, 1 chargeback, 2 pre-arbitration, 3 arbitration.
    pub dispute_stage: u8,
    /// What antifraud says.
    pub risk_state: RiskState,
    /// Whether the money reached the merchant's bank. No fact of MERGE section 1 says so, hence always NONE so far.
    pub settlement_state: SettlementState,
    /// Why it ended, for FAILED, CANCELED and EXPIRED.
    pub closed_reason: Option<ClosedReason>,
    /// When a scheduled payment runs.
    pub scheduled_for: Option<Timestamp>,
    /// When what it waits for runs out.
    pub expires_at: Option<Timestamp>,
    /// The source of the fact that decided.
    pub evidence: Evidence,
    /// A refund or dispute was seen before any capture; captured is what must have been there.
    pub capture_inferred: bool,
    /// How many tries are known.
    pub attempt_count: u32,
    /// The gateway's code of the newest failure.
    pub last_failure_code: Option<Box<str>>,
    /// Facts of one moment disagree, or a coarse clock cannot order what decided: read it back.
    pub contested: bool,
    /// More money went back than was captured; `refunded` is cut.
    pub returned_more_than_captured: bool,
    /// Facts in another currency exist; their amounts are left out.
    pub mixed_currency: bool,
    /// Some amount is one that the gateway's own rule for its currency forbids: kept as it came, shown with a mark.
    pub amount_doubted: bool,
    /// The gateway's own word in the fact that decided: what a legacy status column shows.
    pub word: Option<Box<str>>,
    /// The newest gateway time among all facts.
    pub source_as_of: Option<Timestamp>,
}

/// How a gateway writes times and amounts: constants of its adapter.
#[derive(Clone, Copy, Debug)]
pub struct Conventions {
    /// How finely its clock ticks: what it cannot order is contested.
    pub resolution: Resolution,
    /// How it writes amounts of a currency: what it should never have written is doubted.
    pub scale: fn(Currency) -> Scale,
}

impl Conventions {
    /// Those of a gateway whose own nobody knows: whole seconds, and the decimals of ISO 4217.
    pub const PLAIN: Conventions = Conventions { resolution: Resolution::Second, scale: Scale::iso4217 };
}

/// Reads the row off a state.
#[must_use]
pub fn project(state: &State<PaymentKind>, conventions: Conventions) -> Payment {
    let Conventions { resolution, scale } = conventions;
    let view = View::of(state);
    let sums = Sums::of(&view);
    let judgement = Judgement::of(&view, &sums);
    let detail = judgement.decider.map(|decider| &decider.register.detail);
    let contested = sums.refund_clock_ties || judgement.decider.is_some_and(|decider| decider.is_contested(resolution));
    Payment {
        status: judgement.status,
        currency: state.currency(),
        amounts: sums.amounts,
        capture_state: capture_state(&view, sums.amounts.captured),
        funding_state: funding_state(&view),
        dispute_state: view.dispute_state(),
        dispute_stage: view.dispute_stage(),
        risk_state: view.risk_state(),
        settlement_state: SettlementState::None,
        closed_reason: closed_reason(judgement.status, &view, detail.and_then(|detail| detail.get(DetailKey::Reason))),
        scheduled_for: detail.and_then(|detail| detail.time(DetailKey::ScheduledFor)),
        expires_at: detail.and_then(|detail| detail.time(DetailKey::ExpiresAt)),
        evidence: evidence(judgement.decider, state),
        capture_inferred: sums.capture_inferred,
        attempt_count: view.attempt_count(),
        last_failure_code: last_failure_code(&view),
        contested,
        returned_more_than_captured: sums.returned_more_than_captured,
        mixed_currency: state.has_other_currency(),
        amount_doubted: is_doubted(state, scale),
        word: detail.and_then(|detail| detail.get(DetailKey::Word)).map(Into::into),
        source_as_of: state.ops().flat_map(|(_, kinds)| kinds.values()).filter_map(|register| register.key.at).max(),
    }
}

/// The source of what decided; where nothing did, as with an inquiry alone, of the best of all that was said.
fn evidence(decider: Option<view::Top<'_>>, state: &State<PaymentKind>) -> Evidence {
    let best = || state.ops().flat_map(|(_, kinds)| kinds.values()).map(|register| register.key.source).max();
    let source = decider.map(|decider| decider.register.key.source).or_else(best);
    source.map_or(Evidence::Legacy, Evidence::of)
}

fn is_doubted(state: &State<PaymentKind>, scale: fn(Currency) -> Scale) -> bool {
    let registers = state.ops().flat_map(|(_, kinds)| kinds.values());
    let mut amounts = registers.filter_map(|register| register.currency.zip(register.amount));
    amounts.any(|(currency, amount)| scale(currency).doubts(amount))
}

/// What was asked for is what a fact says was asked, else what was ever held; where neither is known, all there is.
fn capture_state(view: &View<'_>, captured: Amount) -> CaptureState {
    if captured == Amount::ZERO {
        return CaptureState::None;
    }
    let asked = view.asked().or_else(|| view.ever_held());
    match asked.map(|asked| captured.cmp(&asked)) {
        Some(std::cmp::Ordering::Less) => CaptureState::Partial,
        Some(std::cmp::Ordering::Greater) => CaptureState::Over,
        Some(std::cmp::Ordering::Equal) | None => CaptureState::Full,
    }
}

/// The newest capture's reason tells: adapters write `underpaid` or `overpaid` there.
fn funding_state(view: &View<'_>) -> FundingState {
    let newest =
        view.captures.iter().filter(|op| op.kind == CaptureKind::Succeeded).max_by_key(|op| op.top.register.key);
    match newest.and_then(|op| op.top.register.detail.get(DetailKey::Reason)) {
        Some("underpaid") => FundingState::Under,
        Some("overpaid") => FundingState::Over,
        _ => FundingState::Exact,
    }
}

/// Only payments that ended without money have a reason: the deciding fact's, where it names one of our words.
fn closed_reason(status: PaymentStatus, view: &View<'_>, reason: Option<&str>) -> Option<ClosedReason> {
    let by_status = match status {
        PaymentStatus::Failed if view.risk_state() == RiskState::Rejected => ClosedReason::Risk,
        PaymentStatus::Failed => ClosedReason::Declined,
        PaymentStatus::Canceled => ClosedReason::Merchant,
        PaymentStatus::Expired => ClosedReason::Deadline,
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::RequiresAction
        | PaymentStatus::InReview
        | PaymentStatus::Authorized
        | PaymentStatus::Succeeded
        | PaymentStatus::PartiallyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::Disputed
        | PaymentStatus::ChargedBack
        | PaymentStatus::Unknown => return None,
    };
    Some(reason.and_then(ClosedReason::parse).unwrap_or(by_status))
}

fn last_failure_code(view: &View<'_>) -> Option<Box<str>> {
    let declined = view.attempts.iter().filter(|op| op.kind == AttemptKind::Declined).map(|op| op.top);
    let failed = view.captures.iter().filter(|op| op.kind == CaptureKind::Failed).map(|op| op.top);
    let newest = declined.chain(failed).max_by_key(|top| top.register.key)?;
    newest.register.detail.get(DetailKey::Code).map(Into::into)
}
