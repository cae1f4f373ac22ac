//! The status: the first line that holds, in the order of MERGE section 5.

use super::amounts::Sums;
use super::view::{Op, Top, View};
use crate::kind::{AttemptKind, AuthKind, CaptureKind, DisputeKind, RefundKind, RiskKind, TotalsKind};
use crate::money::Amount;
use crate::status::{PaymentStatus, RiskState};
use crate::time::Timestamp;

/// The status and the register that decided it, which supplies every column that is not an amount.
pub(super) struct Judgement<'a> {
    pub(super) status: PaymentStatus,
    pub(super) decider: Option<Top<'a>>,
}

impl<'a> Judgement<'a> {
    pub(super) fn of(view: &View<'a>, sums: &Sums) -> Judgement<'a> {
        if view.only_unmapped() {
            return Judgement {
                status: PaymentStatus::Unknown,
                decider: newest(view.unmapped.iter().map(|op| op.top)),
            };
        }
        if sums.amounts.captured > Amount::ZERO { taken(view, sums) } else { not_taken(view, sums) }
    }
}

fn newest<'a>(tops: impl Iterator<Item = Top<'a>>) -> Option<Top<'a>> {
    tops.max_by_key(|top| top.register.key)
}

/// Money was taken: only what went back, or is asked back, decides.
fn taken<'a>(view: &View<'a>, sums: &Sums) -> Judgement<'a> {
    let disputed = |wanted: fn(DisputeKind) -> bool| {
        newest(view.standing_disputes().filter(|op| wanted(op.kind)).map(|op| op.top))
    };
    let lost = disputed(|kind| matches!(kind, DisputeKind::Lost | DisputeKind::Accepted));
    if lost.is_some() {
        return Judgement { status: PaymentStatus::ChargedBack, decider: lost };
    }
    let open = disputed(|kind| matches!(kind, DisputeKind::Opened | DisputeKind::UnderReview));
    if open.is_some() {
        return Judgement { status: PaymentStatus::Disputed, decider: open };
    }
    let captures = view.captures.iter().filter(|op| op.kind == CaptureKind::Succeeded).map(|op| op.top);
    let capture = newest(captures.chain(view.total(TotalsKind::Captured).map(|(top, _)| top)));
    if sums.amounts.refunded > Amount::ZERO {
        let refunds = view.refunds.iter().filter(|op| op.kind == RefundKind::Succeeded).map(|op| op.top);
        let total = view.total(TotalsKind::Refunded).map(|(top, _)| top);
        let whole = sums.amounts.refunded >= sums.amounts.captured;
        let status = if whole { PaymentStatus::Refunded } else { PaymentStatus::PartiallyRefunded };
        return Judgement { status, decider: newest(refunds.chain(total)).or(capture) };
    }
    // An inferred capture has no fact of its own; the dispute it was inferred from stands in.
    Judgement { status: PaymentStatus::Succeeded, decider: capture.or_else(|| disputed(|_| true)) }
}

/// No money was taken: holds, then tries, then how they ended.
fn not_taken<'a>(view: &View<'a>, sums: &Sums) -> Judgement<'a> {
    let in_review = view.risk_state() == RiskState::Review;
    let review = || newest(view.risks.iter().filter(|op| op.kind == RiskKind::Review).map(|op| op.top));
    let or_review = |status, decider| {
        if in_review {
            Judgement { status: PaymentStatus::InReview, decider: review() }
        } else {
            Judgement { status, decider }
        }
    };
    if sums.amounts.authorized > Amount::ZERO {
        let held = view.auths.iter().filter(|op| op.kind == AuthKind::Authorized).map(|op| op.top);
        return or_review(PaymentStatus::Authorized, newest(held));
    }
    let tries = Tries::of(view);
    if let Some(decider) = tries.live_of(AttemptKind::RequiresAction) {
        return Judgement { status: PaymentStatus::RequiresAction, decider: Some(decider) };
    }
    let pending = view.captures.iter().filter(|op| op.kind == CaptureKind::Pending).map(|op| op.top);
    if let Some(decider) = newest(pending.chain(tries.live_of(AttemptKind::Pending))) {
        return or_review(PaymentStatus::Processing, Some(decider));
    }
    let failed = newest(view.captures.iter().filter(|op| op.kind == CaptureKind::Failed).map(|op| op.top));
    if failed.is_some() {
        return Judgement { status: PaymentStatus::Failed, decider: failed };
    }
    if let Some(ended) = ended_hold(view).or_else(|| tries.ended()) {
        return ended;
    }
    or_review(PaymentStatus::Pending, newest(tries.live.iter().map(|op| op.top)))
}

/// The newest hold that ended. A void or expiry counts only where money was ever held: a cancel says both, always.
fn ended_hold<'a>(view: &View<'a>) -> Option<Judgement<'a>> {
    let newest = view
        .auths
        .iter()
        .filter(|op| op.register(AuthKind::Authorized).is_some())
        .filter(|op| op.kind != AuthKind::Authorized)
        .max_by_key(|op| op.top.register.key)?;
    let status = match newest.kind {
        AuthKind::Expired => PaymentStatus::Expired,
        AuthKind::Voided | AuthKind::Authorized => PaymentStatus::Canceled,
    };
    Some(Judgement { status, decider: Some(newest.top) })
}

/// The tries, told apart by whether they are over.
struct Tries<'v, 'a> {
    live: Vec<&'v Op<'a, AttemptKind>>,
    finished: Vec<&'v Op<'a, AttemptKind>>,
}

impl<'v, 'a> Tries<'v, 'a> {
    /// An unfinished try is closed by a settled capture not older than it, and by a finished try strictly newer.
    fn of(view: &'v View<'a>) -> Tries<'v, 'a> {
        let (finished, open): (Vec<_>, Vec<_>) = view.attempts.iter().partition(|op| is_finished(op.kind));
        let settled: Option<Option<Timestamp>> = view
            .captures
            .iter()
            .flat_map(|op| [op.register(CaptureKind::Succeeded), op.register(CaptureKind::Failed)])
            .flatten()
            .map(|register| register.key.at)
            .max();
        let over: Option<Option<Timestamp>> = finished.iter().map(|op| op.at()).max();
        let is_live = |op: &&Op<'a, AttemptKind>| {
            settled.is_none_or(|settled| settled < op.at()) && over.is_none_or(|over| over <= op.at())
        };
        Tries { live: open.into_iter().filter(is_live).collect(), finished }
    }

    fn live_of(&self, kind: AttemptKind) -> Option<Top<'a>> {
        newest(self.live.iter().filter(|op| op.kind == kind).map(|op| op.top))
    }

    /// How the newest finished try ended, if none is live.
    fn ended(&self) -> Option<Judgement<'a>> {
        if !self.live.is_empty() {
            return None;
        }
        let newest = self.finished.iter().max_by_key(|op| op.top.register.key)?;
        let status = match newest.kind {
            AttemptKind::Expired => PaymentStatus::Expired,
            AttemptKind::Canceled => PaymentStatus::Canceled,
            AttemptKind::Declined
            | AttemptKind::Created
            | AttemptKind::Pending
            | AttemptKind::Scheduled
            | AttemptKind::RequiresAction => PaymentStatus::Failed,
        };
        Some(Judgement { status, decider: Some(newest.top) })
    }
}

fn is_finished(kind: AttemptKind) -> bool {
    match kind {
        AttemptKind::Expired | AttemptKind::Declined | AttemptKind::Canceled => true,
        AttemptKind::Created | AttemptKind::Pending | AttemptKind::Scheduled | AttemptKind::RequiresAction => false,
    }
}
