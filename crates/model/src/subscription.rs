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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::SubscriptionFact;
    use crate::fold::fold;
    use crate::source::Source;
    use crate::{Fact, Kind};

    fn at(seconds: i64) -> Option<Timestamp> {
        Timestamp::from_seconds(seconds).ok()
    }

    fn said(kind: SubscriptionKind, seconds: i64) -> SubscriptionFact {
        Fact::new(kind, "s", at(seconds), Source::Webhook)
    }

    fn of(facts: &[SubscriptionFact]) -> Subscription {
        project_subscription(&fold(facts))
    }

    /// The words at 9, 10 and 11.
    fn words(facts: &[SubscriptionFact]) -> [SubscriptionStatus; 3] {
        let subscription = of(facts);
        [9, 10, 11].map(|now| subscription.status(Timestamp::from_seconds(now).unwrap()))
    }

    #[test]
    fn a_base_alone_is_shown_as_it_is() {
        use SubscriptionBase as Base;
        for base in Base::ALL {
            let facts = [said(SubscriptionKind::Base(*base), 1)];
            let shown = words(&facts)[0].to_string();
            assert_eq!(shown, base.to_string(), "no date and no pause says more");
            assert_eq!(of(&facts).next_transition_at(Timestamp::from_seconds(1).unwrap()), None);
        }
        let kept = |base| of(&[said(SubscriptionKind::Base(base), 1)]);
        assert_eq!(kept(Base::Paused).pause_kind, Some(PauseKind::Service));
        assert_eq!(kept(Base::Suspended).reason, Some(SubscriptionReason::Nonpayment));
        assert_eq!(kept(Base::Canceled).reason, None);
        assert_eq!(of(&[]).base, Base::Unknown);
    }

    #[test]
    fn a_decided_end_is_shown_until_it_comes_and_not_once_it_was_taken_back() {
        let until = |kind| said(kind, 2).detail(Detail::none().with_time(DetailKey::Until, at(10)));
        for base in [SubscriptionBase::Active, SubscriptionBase::Trialing] {
            let running = said(SubscriptionKind::Base(base), 1);
            let ending = [running.clone(), until(SubscriptionKind::CancelSet)];
            let over = words(std::slice::from_ref(&running))[0];
            assert_eq!(words(&ending), [SubscriptionStatus::CancelScheduled, over, over]);
            let subscription = of(&ending);
            let next = [9, 10].map(|now| subscription.next_transition_at(Timestamp::from_seconds(now).unwrap()));
            assert_eq!(next, [at(10), None]);
            let taken_back = [running, until(SubscriptionKind::CancelSet), said(SubscriptionKind::CancelCleared, 3)];
            assert_eq!(of(&taken_back).cancel_at, None);
        }
    }

    #[test]
    fn who_has_not_paid_is_in_grace_until_that_ends() {
        let due =
            |base| said(SubscriptionKind::Base(base), 1).detail(Detail::none().with_time(DetailKey::Until, at(10)));
        let grace = [due(SubscriptionBase::PastDue)];
        assert_eq!(
            words(&grace),
            [SubscriptionStatus::Grace, SubscriptionStatus::PastDue, SubscriptionStatus::PastDue]
        );
        assert_eq!(of(&grace).next_transition_at(Timestamp::from_seconds(9).unwrap()), at(10));
        for over in [SubscriptionBase::Canceled, SubscriptionBase::Expired] {
            assert_eq!((of(&[due(over)]).ended_at, of(&[due(over)]).grace_until), (at(10), None));
        }
        assert_eq!(of(&[due(SubscriptionBase::Active)]).ended_at, None);
    }

    #[test]
    fn a_pause_of_collection_pauses_what_runs_and_nothing_else() {
        let paused = |base| of(&[said(SubscriptionKind::Base(base), 1), said(SubscriptionKind::PauseCollection, 2)]);
        let now = Timestamp::from_seconds(9).unwrap();
        for base in [SubscriptionBase::Active, SubscriptionBase::Trialing] {
            assert_eq!(paused(base).status(now), SubscriptionStatus::Paused);
            assert_eq!(paused(base).pause_kind, Some(PauseKind::Collection));
        }
        assert_eq!(paused(SubscriptionBase::PastDue).status(now), SubscriptionStatus::PastDue);
        assert_eq!(paused(SubscriptionBase::Canceled).pause_kind, None);
        let ended = [said(SubscriptionKind::Base(SubscriptionBase::Active), 1), said(SubscriptionKind::PauseNone, 2)];
        assert_eq!(words(&ended)[0], SubscriptionStatus::Active);
    }

    #[test]
    fn a_reason_is_that_of_an_end_in_one_of_our_words() {
        let word = SubscriptionReason::ALL[0];
        let ended = |base, reason: &str| {
            of(&[said(SubscriptionKind::Base(base), 1).detail(Detail::none().with(DetailKey::Reason, reason))]).reason
        };
        assert_eq!(ended(SubscriptionBase::Canceled, &word.to_string()), Some(word));
        assert_eq!(ended(SubscriptionBase::Suspended, &word.to_string()), Some(word));
        assert_eq!(ended(SubscriptionBase::Canceled, "no word of ours"), None);
        assert_eq!(ended(SubscriptionBase::Active, &word.to_string()), None);
    }

    #[test]
    fn of_one_moment_the_later_word_of_the_law_holds_and_a_struck_one_not_at_all() {
        let order =
            "unknown < incomplete < pending < trialing < active < past_due < paused < suspended < expired < canceled";
        let kinds = order.split(" < ").map(|word| SubscriptionKind::parse("base", word).unwrap());
        let facts: Vec<SubscriptionFact> = kinds.map(|kind| said(kind, 5)).collect();
        for pair in facts.windows(2) {
            let SubscriptionKind::Base(greater) = pair[1].kind else { panic!("a base") };
            assert_eq!(of(&[pair[1].clone(), pair[0].clone()]).base, greater);
        }
        let set = |first, second| SubscriptionKind::precedence(first) < SubscriptionKind::precedence(second);
        assert!(set(SubscriptionKind::CancelCleared, SubscriptionKind::CancelSet));
        assert!(set(SubscriptionKind::PauseNone, SubscriptionKind::PauseCollection));
        assert!(!SubscriptionKind::Period.smaller_amount_wins());
        let strike = Fact::new(SubscriptionKind::Strike, &facts[9].key().to_string(), None, Source::Operator);
        assert_eq!(of(&[facts[8].clone(), facts[9].clone(), strike]).base, SubscriptionBase::Expired);
    }

    #[test]
    fn dates_words_and_where_they_are_from_are_those_of_the_facts_that_won() {
        let span = Detail::none().with_time(DetailKey::Since, at(3)).with_time(DetailKey::Until, at(30));
        let facts = [
            said(SubscriptionKind::Base(SubscriptionBase::Pending), 1)
                .detail(Detail::word("future").with_time(DetailKey::ScheduledFor, at(20))),
            said(SubscriptionKind::Period, 7).detail(span),
            said(SubscriptionKind::Trial, 2).detail(Detail::none().with_time(DetailKey::Until, at(8))),
        ];
        let subscription = of(&facts);
        let dates =
            [subscription.starts_at, subscription.period_start, subscription.period_end, subscription.trial_end];
        assert_eq!(dates, [at(20), at(3), at(30), at(8)]);
        assert_eq!((subscription.word.as_deref(), subscription.source_as_of), (Some("future"), at(7)));
        assert_eq!((subscription.evidence, subscription.contested), (Evidence::of(Source::Webhook), false));
    }
}
