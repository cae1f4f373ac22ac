//! The state seen by family: each operation with its winning kind and its amount.

use std::collections::BTreeMap;

use super::INTENT_OP;
use crate::fact::DetailKey;
use crate::fold::{Register, State};
use crate::kind::{AttemptKind, AuthKind, CaptureKind, DisputeKind, PaymentKind, RefundKind, RiskKind, TotalsKind};
use crate::money::{Amount, Currency};
use crate::status::{DisputeState, RiskState};
use crate::time::{Resolution, Timestamp};

/// One register among its operation's others.
#[derive(Clone, Copy)]
pub(super) struct Top<'a> {
    pub(super) register: &'a Register,
    siblings: &'a BTreeMap<PaymentKind, Register>,
}

impl Top<'_> {
    /// A tie decided by digest; or, where the clock is coarse, something of higher precedence on the same operation so
    /// near in time that the two may stand in the wrong order.
    pub(super) fn is_contested(&self, resolution: Resolution) -> bool {
        let near = |other: &Register| match (self.register.key.at, other.key.at) {
            (Some(at), Some(other)) => at.micros_since(other).abs() <= 2 * resolution.micros(),
            (Some(_) | None, None) | (None, Some(_)) => false,
        };
        let outranks = |other: &Register| other.key.precedence > self.register.key.precedence;
        self.register.tied
            || (resolution.is_coarse() && self.siblings.values().any(|other| outranks(other) && near(other)))
    }
}

/// One operation of one family: the kind whose evidence is greatest, and the amount that goes with it.
pub(super) struct Op<'a, K> {
    pub(super) name: &'a str,
    pub(super) kind: K,
    pub(super) top: Top<'a>,
    pub(super) amount: Amount,
    registers: Vec<(K, &'a Register)>,
}

impl<'a, K: Copy + PartialEq> Op<'a, K> {
    /// The register of one of its kinds, whether or not that kind won.
    pub(super) fn register(&self, kind: K) -> Option<&'a Register> {
        self.registers.iter().find(|(other, _)| *other == kind).map(|(_, register)| *register)
    }

    /// The smallest `op_at` any of its facts carried.
    pub(super) fn op_at(&self) -> Option<Timestamp> {
        self.registers.iter().filter_map(|(_, register)| register.op_at).min()
    }

    /// The time of the winning kind.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.top.register.key.at
    }
}

/// The whole state, sorted into families.
pub(super) struct View<'a> {
    pub(super) attempts: Vec<Op<'a, AttemptKind>>,
    pub(super) auths: Vec<Op<'a, AuthKind>>,
    pub(super) captures: Vec<Op<'a, CaptureKind>>,
    pub(super) refunds: Vec<Op<'a, RefundKind>>,
    pub(super) disputes: Vec<Op<'a, DisputeKind>>,
    pub(super) risks: Vec<Op<'a, RiskKind>>,
    pub(super) unmapped: Vec<Op<'a, ()>>,
    totals: Vec<Op<'a, TotalsKind>>,
    currency: Option<Currency>,
}

impl<'a> View<'a> {
    pub(super) fn of(state: &'a State<PaymentKind>) -> View<'a> {
        macro_rules! family {
            ($pattern:pat => $kind:expr) => {
                select(state, |kind| match kind {
                    $pattern => Some($kind),
                    _ => None,
                })
            };
        }
        View {
            attempts: family!(PaymentKind::Attempt(kind) => kind),
            auths: family!(PaymentKind::Auth(kind) => kind),
            captures: family!(PaymentKind::Capture(kind) => kind),
            refunds: family!(PaymentKind::Refund(kind) => kind),
            disputes: family!(PaymentKind::Dispute(kind) => kind),
            risks: family!(PaymentKind::Risk(kind) => kind),
            unmapped: family!(PaymentKind::Unmapped => ()),
            totals: family!(PaymentKind::Totals(kind) => kind),
            currency: state.currency(),
        }
    }

    /// The newest running total of a kind, with its amount in the row's currency.
    pub(super) fn total(&self, kind: TotalsKind) -> Option<(Top<'a>, Amount)> {
        self.totals
            .iter()
            .filter_map(|op| op.register(kind).map(|register| Top { register, siblings: op.top.siblings }))
            .max_by_key(|top| top.register.key)
            .map(|top| (top, amount_in(top.register, self.currency).unwrap_or_default()))
    }

    /// Whether only words we do not know were said (or nothing at all).
    pub(super) fn only_unmapped(&self) -> bool {
        self.attempts.is_empty()
            && self.auths.is_empty()
            && self.captures.is_empty()
            && self.refunds.is_empty()
            && self.disputes.is_empty()
            && self.risks.is_empty()
            && self.totals.is_empty()
    }

    /// The holds that no capture has ended: one on the same operation that stands and is not older, or a running total of
    /// captures strictly newer. `total_at` is that total's time, if it took money.
    pub(super) fn standing_holds(
        &self,
        total_at: Option<Option<Timestamp>>,
    ) -> impl Iterator<Item = &Op<'a, AuthKind>> {
        self.auths.iter().filter(|hold| hold.kind == AuthKind::Authorized).filter(move |hold| {
            let of_it =
                |capture: &&Op<'_, CaptureKind>| capture.name == hold.name && capture.kind == CaptureKind::Succeeded;
            let ended = self.captures.iter().filter(of_it).any(|capture| {
                capture.at() > hold.at() || (capture.at() == hold.at() && !is_rest(hold, capture.amount))
            });
            total_at.is_none_or(|total| total <= hold.at()) && !ended
        })
    }

    /// The disputes that stand: a later whole-object reading without a dispute closes what is strictly older.
    pub(super) fn standing_disputes(&self) -> impl Iterator<Item = &Op<'a, DisputeKind>> {
        let closed_before =
            self.disputes.iter().filter_map(|op| op.register(DisputeKind::None)).map(|none| none.key.at).max();
        self.disputes
            .iter()
            .filter(move |op| op.kind != DisputeKind::None && closed_before.is_none_or(|closed| op.at() >= closed))
    }

    pub(super) fn dispute_state(&self) -> DisputeState {
        self.standing_disputes().map(|op| dispute_state(op.kind)).max().unwrap_or(DisputeState::None)
    }

    pub(super) fn dispute_stage(&self) -> u8 {
        let stage = |op: &Op<'_, DisputeKind>| {
            let named = op.top.register.detail.get(DetailKey::Stage).and_then(|stage| stage.parse().ok());
            named.unwrap_or(u8::from(op.kind != DisputeKind::Inquiry)).min(3)
        };
        self.standing_disputes().map(stage).max().unwrap_or(0)
    }

    pub(super) fn risk_state(&self) -> RiskState {
        let state = |op: &Op<'_, RiskKind>| match op.kind {
            RiskKind::Review => RiskState::Review,
            RiskKind::Approved => RiskState::Approved,
            RiskKind::Rejected => RiskState::Rejected,
        };
        self.risks.iter().map(state).max().unwrap_or(RiskState::None)
    }

    /// Tries have operations of their own; the payment-level operation counts only while it is the only one.
    pub(super) fn attempt_count(&self) -> u32 {
        let mut names: Vec<&str> = self.attempts.iter().map(|op| op.name).collect();
        names.extend(self.auths.iter().map(|op| op.name));
        names.extend(self.captures.iter().map(|op| op.name));
        names.sort_unstable();
        names.dedup();
        let own = names.iter().filter(|name| **name != INTENT_OP).count();
        u32::try_from(own.max(names.len().min(1))).unwrap_or(u32::MAX)
    }

    /// The largest amount any fact says was asked for.
    pub(super) fn asked(&self) -> Option<Amount> {
        let details = self.captures.iter().flat_map(|op| &op.registers).map(|(_, register)| register);
        let held = self.auths.iter().flat_map(|op| &op.registers).map(|(_, register)| register);
        let tried = self.attempts.iter().flat_map(|op| &op.registers).map(|(_, register)| register);
        details.chain(held).chain(tried).filter_map(|register| register.detail.amount(DetailKey::Asked)).max()
    }

    /// Everything that was ever held.
    pub(super) fn ever_held(&self) -> Option<Amount> {
        let held: Vec<i128> = self
            .auths
            .iter()
            .filter_map(|op| op.register(AuthKind::Authorized))
            .map(|register| amount_in(register, self.currency).unwrap_or_default().wide())
            .collect();
        (!held.is_empty()).then(|| Amount::clamped(held.iter().sum()))
    }
}

fn dispute_state(kind: DisputeKind) -> DisputeState {
    match kind {
        DisputeKind::None => DisputeState::None,
        DisputeKind::Inquiry => DisputeState::Inquiry,
        DisputeKind::Opened | DisputeKind::UnderReview => DisputeState::Open,
        DisputeKind::Withdrawn => DisputeState::Withdrawn,
        DisputeKind::Won => DisputeState::Won,
        DisputeKind::Accepted => DisputeState::Accepted,
        DisputeKind::Lost => DisputeState::Lost,
    }
}

/// A register's amount, unless it is in another currency than the row.
pub(super) fn amount_in(register: &Register, row: Option<Currency>) -> Option<Amount> {
    register.amount.filter(|_| register.currency.is_none() || register.currency == row)
}

fn select<K: Copy>(state: &State<PaymentKind>, of: impl Fn(PaymentKind) -> Option<K>) -> Vec<Op<'_, K>> {
    let currency = state.currency();
    state
        .ops()
        .filter_map(|((_, name), siblings)| {
            let (kind, register) = siblings.iter().max_by_key(|(_, register)| register.key)?;
            let registers: Vec<_> =
                siblings.iter().filter_map(|(kind, register)| Some((of(*kind)?, register))).collect();
            let known = || siblings.values().filter_map(|register| amount_in(register, currency)).max();
            let amount = amount_in(register, currency).or_else(known).unwrap_or_default();
            Some(Op { name, kind: of(*kind)?, top: Top { register, siblings }, amount, registers })
        })
        .collect()
}

/// Whether a hold is what was left after a capture of its very moment: together they are no more than was asked for.
fn is_rest(hold: &Op<'_, AuthKind>, captured: Amount) -> bool {
    let asked = hold.top.register.detail.amount(DetailKey::Asked);
    asked.is_some_and(|asked| hold.amount.wide() + captured.wide() <= asked.wide())
}
