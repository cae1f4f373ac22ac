//! The six amounts: money taken, given back, held and asked back.

use super::view::{Op, Top, View};
use crate::kind::{CaptureKind, DisputeKind, RefundKind, TotalsKind};
use crate::money::Amount;
use crate::time::Timestamp;

/// The six amounts of a row, minor units of its currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Held now.
    pub authorized: Amount,
    /// Taken.
    pub captured: Amount,
    /// Given back; never more than taken.
    pub refunded: Amount,
    /// On its way back; with `refunded` never more than taken.
    pub refund_pending: Amount,
    /// In open disputes.
    pub disputed: Amount,
    /// In disputes lost or accepted.
    pub charged_back: Amount,
}

/// The amounts and what had to be assumed to get them.
pub(super) struct Sums {
    pub(super) amounts: Amounts,
    pub(super) capture_inferred: bool,
    pub(super) returned_more_than_captured: bool,
    /// A refund starts in the very moment of the running total, so whether the total contains it is a guess.
    pub(super) refund_clock_ties: bool,
}

impl Sums {
    pub(super) fn of(view: &View<'_>) -> Sums {
        let returned = Returned::of(view);
        let known = captured(view);
        let inferred = if took_no_part(view) { must_have_been_captured(view, returned.refunded) } else { 0 };
        let captured = Amount::clamped(known.max(inferred));
        let refunded = Amount::clamped(returned.refunded.min(captured.wide()));
        let refund_pending = Amount::clamped(returned.pending.min(captured.wide() - refunded.wide()));
        let (disputed, charged_back) = disputes(view);
        Sums {
            amounts: Amounts { authorized: held(view), captured, refunded, refund_pending, disputed, charged_back },
            capture_inferred: inferred > 0,
            returned_more_than_captured: returned.refunded > captured.wide(),
            refund_clock_ties: returned.clock_ties,
        }
    }
}

/// What is held now, so that whoever adds up rows counts no money twice.
fn held(view: &View<'_>) -> Amount {
    let total = view.total(TotalsKind::Captured).filter(|total| net_total(view, total) > 0);
    let total_at = total.map(|(total, _)| total.register.key.at);
    Amount::clamped(view.standing_holds(total_at).map(|op| op.amount.wide()).sum())
}

/// The sum of captures that stand, or the running total if larger.
fn captured(view: &View<'_>) -> i128 {
    let standing: i128 =
        view.captures.iter().filter(|op| op.kind == CaptureKind::Succeeded).map(|op| op.amount.wide()).sum();
    view.total(TotalsKind::Captured).map_or(standing, |total| standing.max(net_total(view, &total)))
}

/// The running total of captures, less each capture it counted that failed afterwards.
fn net_total(view: &View<'_>, (total, amount): &(Top<'_>, Amount)) -> i128 {
    let as_of = total.register.key.at;
    let lost: i128 = view
        .captures
        .iter()
        .filter(|op| op.kind == CaptureKind::Failed && op.at() > as_of)
        .filter(|op| op.register(CaptureKind::Succeeded).is_some_and(|succeeded| succeeded.first_at <= as_of))
        .map(|op| op.amount.wide())
        .sum();
    amount.wide() - lost
}

/// No capture, no running total of captures and no hold: only then may money back stand for money taken.
fn took_no_part(view: &View<'_>) -> bool {
    view.captures.is_empty() && view.auths.is_empty() && view.total(TotalsKind::Captured).is_none()
}

fn must_have_been_captured(view: &View<'_>, refunded: i128) -> i128 {
    let taken = |op: &&Op<'_, DisputeKind>| match op.kind {
        DisputeKind::Opened
        | DisputeKind::UnderReview
        | DisputeKind::Lost
        | DisputeKind::Accepted
        | DisputeKind::Won => true,
        DisputeKind::None | DisputeKind::Inquiry | DisputeKind::Withdrawn => false,
    };
    view.standing_disputes().filter(taken).map(|op| op.amount.wide()).fold(refunded, i128::max)
}

fn disputes(view: &View<'_>) -> (Amount, Amount) {
    let (mut disputed, mut charged_back) = (0, 0);
    for op in view.standing_disputes() {
        match op.kind {
            DisputeKind::Lost | DisputeKind::Accepted => charged_back += op.amount.wide(),
            DisputeKind::Opened | DisputeKind::UnderReview => disputed += op.amount.wide(),
            DisputeKind::None | DisputeKind::Inquiry | DisputeKind::Won | DisputeKind::Withdrawn => {}
        }
    }
    (Amount::clamped(disputed), Amount::clamped(charged_back))
}

/// Money back, before it is cut to what was taken.
struct Returned {
    refunded: i128,
    pending: i128,
    clock_ties: bool,
}

impl Returned {
    fn of(view: &View<'_>) -> Returned {
        let sum = |wanted: fn(RefundKind) -> bool| -> i128 {
            view.refunds.iter().filter(|op| wanted(op.kind)).map(|op| op.amount.wide()).sum()
        };
        let live = sum(|kind| kind == RefundKind::Succeeded);
        let pending = sum(is_pending);
        let Some((total, amount)) = view.total(TotalsKind::Refunded) else {
            return Returned { refunded: live, pending, clock_ties: false };
        };
        let as_of = total.register.key.at;
        let corrected = view.refunds.iter().fold(amount.wide(), |total, op| total + correction(op, as_of));
        let clock_ties = view.refunds.iter().any(|op| start(op) == Some(as_of));
        Returned { refunded: live.max(corrected).max(0), pending, clock_ties }
    }
}

/// The moment from which the running total contains a refund; `None` if it has none yet. A known success without a time
/// has the moment "no time", which is before all others.
fn start(op: &Op<'_, RefundKind>) -> Option<Option<Timestamp>> {
    let succeeded = || op.register(RefundKind::Succeeded).map(|succeeded| succeeded.first_at);
    op.op_at().map(Some).or_else(succeeded)
}

/// What one refund adds to or takes from a running total of that moment.
fn correction(op: &Op<'_, RefundKind>, as_of: Option<Timestamp>) -> i128 {
    let counted = start(op).is_some_and(|start| start <= as_of);
    match op.kind {
        RefundKind::Succeeded if !counted => op.amount.wide(),
        RefundKind::Pending | RefundKind::Requested if counted => -op.amount.wide(),
        RefundKind::Failed | RefundKind::Canceled | RefundKind::Reversed if counted && op.at() > as_of => {
            -op.amount.wide()
        }
        RefundKind::Succeeded
        | RefundKind::Pending
        | RefundKind::Requested
        | RefundKind::Failed
        | RefundKind::Canceled
        | RefundKind::Reversed => 0,
    }
}

fn is_pending(kind: RefundKind) -> bool {
    match kind {
        RefundKind::Requested | RefundKind::Pending => true,
        RefundKind::Succeeded | RefundKind::Failed | RefundKind::Canceled | RefundKind::Reversed => false,
    }
}
