//! Subscriptions: the same fold, other families; `now` enters only in the derived word.

use crate::fact::{Detail, DetailKey};
use crate::fold::{Register, State};
use crate::kind::SubscriptionKind;
use crate::status::{Evidence, PauseKind, SubscriptionBase, SubscriptionReason, SubscriptionStatus};
use crate::time::Timestamp;

/// What we believe about a subscription: a base state and dates, a function of its facts alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The stored state.
    pub base: SubscriptionBase,
    /// Why it is suspended, canceled or expired.
    pub reason: Option<SubscriptionReason>,
    /// When it begins, for PENDING.
    pub starts_at: Option<Timestamp>,
    /// When a decided end takes effect.
    pub cancel_at: Option<Timestamp>,
    /// Start of the paid period.
    pub period_start: Option<Timestamp>,
    /// End of the paid period.
    pub period_end: Option<Timestamp>,
    /// End of the trial.
    pub trial_end: Option<Timestamp>,
    /// Until when an unpaid subscription may be used.
    pub grace_until: Option<Timestamp>,
    /// When it really ended.
    pub ended_at: Option<Timestamp>,
    /// What a pause stops.
    pub pause_kind: Option<PauseKind>,
    /// The source of the fact that decided the base.
    pub evidence: Evidence,
    /// Two facts of one moment disagree about the base.
    pub contested: bool,
    /// The gateway's own word in the fact that decided the base.
    pub word: Option<Box<str>>,
    /// The newest gateway time among all facts.
    pub source_as_of: Option<Timestamp>,
}

impl Subscription {
    /// The word to show at `now`: the base, unless a date or a pause of collection says more.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> SubscriptionStatus {
        match self.base {
            SubscriptionBase::Active | SubscriptionBase::Trialing if self.cancel_at.is_some_and(|end| end > now) => {
                SubscriptionStatus::CancelScheduled
            }
            SubscriptionBase::Active | SubscriptionBase::Trialing if self.pause_kind.is_some() => {
                SubscriptionStatus::Paused
            }
            SubscriptionBase::PastDue if self.grace_until.is_some_and(|end| now < end) => SubscriptionStatus::Grace,
            SubscriptionBase::Incomplete => SubscriptionStatus::Incomplete,
            SubscriptionBase::Pending => SubscriptionStatus::Pending,
            SubscriptionBase::Trialing => SubscriptionStatus::Trialing,
            SubscriptionBase::Active => SubscriptionStatus::Active,
            SubscriptionBase::PastDue => SubscriptionStatus::PastDue,
            SubscriptionBase::Paused => SubscriptionStatus::Paused,
            SubscriptionBase::Suspended => SubscriptionStatus::Suspended,
            SubscriptionBase::Canceled => SubscriptionStatus::Canceled,
            SubscriptionBase::Expired => SubscriptionStatus::Expired,
            SubscriptionBase::Unknown => SubscriptionStatus::Unknown,
        }
    }

    /// The next moment after `now` at which [`Subscription::status`] changes without any event.
    #[must_use]
    pub fn next_transition_at(&self, now: Timestamp) -> Option<Timestamp> {
        let moment = match self.base {
            SubscriptionBase::Active | SubscriptionBase::Trialing => self.cancel_at,
            SubscriptionBase::PastDue => self.grace_until,
            SubscriptionBase::Incomplete
            | SubscriptionBase::Pending
            | SubscriptionBase::Paused
            | SubscriptionBase::Suspended
            | SubscriptionBase::Canceled
            | SubscriptionBase::Expired
            | SubscriptionBase::Unknown => None,
        };
        moment.filter(|moment| *moment > now)
    }
}

/// Reads the subscription off a state.
#[must_use]
pub fn project_subscription(state: &State<SubscriptionKind>) -> Subscription {
    let base = winner(state, "base");
    let detail = base.map(|(_, register)| register.detail.clone()).unwrap_or_default();
    let state_of = base.map_or(SubscriptionBase::Unknown, |(kind, _)| match kind {
        SubscriptionKind::Base(base) => base,
        SubscriptionKind::CancelSet
        | SubscriptionKind::CancelCleared
        | SubscriptionKind::Period
        | SubscriptionKind::Trial
        | SubscriptionKind::PauseNone
        | SubscriptionKind::PauseCollection
        | SubscriptionKind::Strike => SubscriptionBase::Unknown,
    });
    let cancel = winner(state, "cancel_at").filter(|(kind, _)| *kind == SubscriptionKind::CancelSet);
    let until = |winner: Option<(SubscriptionKind, &Register)>| {
        winner.and_then(|(_, register)| register.detail.time(DetailKey::Until))
    };
    let period = winner(state, "period");
    Subscription {
        base: state_of,
        reason: reason(state_of, &detail),
        starts_at: detail.time(DetailKey::ScheduledFor),
        cancel_at: until(cancel),
        period_start: period.and_then(|(_, register)| register.detail.time(DetailKey::Since)),
        period_end: until(period),
        trial_end: until(winner(state, "trial")),
        grace_until: if state_of == SubscriptionBase::PastDue { detail.time(DetailKey::Until) } else { None },
        ended_at: if is_over(state_of) { detail.time(DetailKey::Until) } else { None },
        pause_kind: pause_kind(state_of, winner(state, "pause").map(|(kind, _)| kind)),
        evidence: base.map_or(Evidence::Legacy, |(_, register)| Evidence::of(register.key.source)),
        contested: base.is_some_and(|(_, register)| register.tied),
        word: detail.get(DetailKey::Word).map(Into::into),
        source_as_of: state.ops().flat_map(|(_, kinds)| kinds.values()).filter_map(|register| register.key.at).max(),
    }
}

/// The kind with the greatest evidence in a family, over all its operations.
fn winner<'a>(state: &'a State<SubscriptionKind>, family: &str) -> Option<(SubscriptionKind, &'a Register)> {
    state
        .ops()
        .filter(|((of, _), _)| *of == family)
        .flat_map(|(_, kinds)| kinds.iter().map(|(kind, register)| (*kind, register)))
        .max_by_key(|(_, register)| register.key)
}

fn is_over(base: SubscriptionBase) -> bool {
    matches!(base, SubscriptionBase::Canceled | SubscriptionBase::Expired)
}

fn reason(base: SubscriptionBase, detail: &Detail) -> Option<SubscriptionReason> {
    let named = detail.get(DetailKey::Reason).and_then(SubscriptionReason::parse);
    match base {
        SubscriptionBase::Suspended => named.or(Some(SubscriptionReason::Nonpayment)),
        SubscriptionBase::Canceled | SubscriptionBase::Expired => named,
        SubscriptionBase::Incomplete
        | SubscriptionBase::Pending
        | SubscriptionBase::Trialing
        | SubscriptionBase::Active
        | SubscriptionBase::PastDue
        | SubscriptionBase::Paused
        | SubscriptionBase::Unknown => None,
    }
}

fn pause_kind(base: SubscriptionBase, pause: Option<SubscriptionKind>) -> Option<PauseKind> {
    match base {
        SubscriptionBase::Paused => Some(PauseKind::Service),
        SubscriptionBase::Active | SubscriptionBase::Trialing | SubscriptionBase::PastDue => {
            (pause == Some(SubscriptionKind::PauseCollection)).then_some(PauseKind::Collection)
        }
        SubscriptionBase::Incomplete
        | SubscriptionBase::Pending
        | SubscriptionBase::Suspended
        | SubscriptionBase::Canceled
        | SubscriptionBase::Expired
        | SubscriptionBase::Unknown => None,
    }
}
