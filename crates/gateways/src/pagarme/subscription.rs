//! A subscription. `active` says nothing of debts: it counts from the beginning, so that what invoices say of their cycles stands
//! after it, and a cancellation after all of these.

use afluente_model::{
    Detail, DetailKey, SubscriptionBase, SubscriptionKind, SubscriptionReason, SubscriptionRef, Timestamp,
};

use super::{RESOLUTION, claim, event, words};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::text::cut;

pub(super) fn read(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let subject = event::about(draft, object, SubjectKind::Subscription, &id);
    draft.claim(&subject, ClaimKind::MethodKind, object.text("payment_method"));
    if let Some(card) = draft.soft(object.object("card")) {
        draft.claim(&subject, ClaimKind::Method, card.id("id"));
        claim::card(draft, card, &subject);
    }
    let told = draft.at();
    draft.set_at(object.moment("updated_at")?.map(|at| at.cut_to(RESOLUTION)).or(told));
    let status = object.text("status")?.unwrap_or_default();
    let known = words::SUBSCRIPTION.iter().find(|(word, _)| *word == status).map(|(_, base)| *base);
    if known.is_none() {
        draft.unknown("subscription.status", status);
    }
    let base = known.unwrap_or(SubscriptionBase::Unknown);
    let base = if base == SubscriptionBase::Incomplete && is_later_cycle(draft, object)? {
        SubscriptionBase::Suspended
    } else {
        base
    };
    let reference = draft.subscription(&id);
    let said = draft.at();
    let detail = detail(draft, object, base, status)?;
    draft.set_at(no_later(moment(object, base)?, said));
    let fact = draft.subscription_fact(SubscriptionKind::Base(base), "s", detail);
    draft.assert_subscription(&reference, fact);
    draft.set_at(said);
    period(draft, object, &reference)?;
    draft.set_at(told);
    Ok(())
}

/// A moment things count from, unless it is still to come: what is said now is not from the future.
pub(super) fn no_later(moment: Option<Timestamp>, said: Option<Timestamp>) -> Option<Timestamp> {
    match (moment, said) {
        (Some(moment), Some(said)) => Some(moment.min(said)),
        (moment, said) => moment.or(said),
    }
}

/// When a word counts from.
fn moment(object: &Object<'_>, base: SubscriptionBase) -> Result<Option<Timestamp>, Malformed> {
    let keys: [&'static str; 3] = match base {
        SubscriptionBase::Active => ["start_at", "created_at", "updated_at"],
        SubscriptionBase::Canceled => ["canceled_at", "updated_at", "created_at"],
        SubscriptionBase::Pending => ["created_at", "updated_at", "start_at"],
        SubscriptionBase::Incomplete
        | SubscriptionBase::Suspended
        | SubscriptionBase::Trialing
        | SubscriptionBase::PastDue
        | SubscriptionBase::Paused
        | SubscriptionBase::Expired
        | SubscriptionBase::Unknown => ["updated_at", "created_at", "start_at"],
    };
    for key in keys {
        if let Some(at) = object.moment(key)? {
            return Ok(Some(at.cut_to(RESOLUTION)));
        }
    }
    Ok(None)
}

/// What stands beside the word: when a future one begins, when one ended, why one is suspended.
fn detail(draft: &mut Draft, object: &Object<'_>, base: SubscriptionBase, status: &str) -> Result<Detail, Malformed> {
    let detail = Detail::word(&cut(status));
    Ok(match base {
        SubscriptionBase::Pending => detail.with_time(DetailKey::ScheduledFor, draft.soft(object.moment("start_at"))),
        SubscriptionBase::Canceled => detail.with_time(DetailKey::Until, object.moment("canceled_at")?.or(draft.at())),
        SubscriptionBase::Suspended => detail.with(DetailKey::Reason, SubscriptionReason::Nonpayment.as_str()),
        SubscriptionBase::Active
        | SubscriptionBase::Incomplete
        | SubscriptionBase::Trialing
        | SubscriptionBase::PastDue
        | SubscriptionBase::Paused
        | SubscriptionBase::Expired
        | SubscriptionBase::Unknown => detail,
    })
}

/// Whether an earlier cycle came to its end: then it was paid for once.
fn is_later_cycle(draft: &mut Draft, object: &Object<'_>) -> Result<bool, Malformed> {
    let cycle = draft.unless_twice(object.object("current_cycle"))?;
    Ok(cycle.and_then(|cycle| draft.soft(cycle.amount("cycle"))).is_some_and(|number| number.minor() > 1))
}

/// The cycle it is in, from that cycle's beginning on.
pub(super) fn period(draft: &mut Draft, object: &Object<'_>, reference: &SubscriptionRef) -> Result<(), Malformed> {
    let Some(cycle) =
        draft.unless_twice(object.object("current_cycle"))?.or(draft.unless_twice(object.object("cycle"))?)
    else {
        return Ok(());
    };
    let since = draft.soft(cycle.moment("start_at"));
    let until = draft.soft(cycle.moment("end_at"));
    let Some(since) = since else { return Ok(()) };
    let detail = Detail::none().with_time(DetailKey::Since, Some(since)).with_time(DetailKey::Until, until);
    let told = draft.at();
    draft.set_at(no_later(Some(since.cut_to(RESOLUTION)), told));
    let fact = draft.subscription_fact(SubscriptionKind::Period, "s", detail);
    draft.assert_subscription(reference, fact);
    draft.set_at(told);
    Ok(())
}
