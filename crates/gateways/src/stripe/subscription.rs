//! Subscriptions, in the families of their own fold.

use afluente_model::{
    Detail, DetailKey, ProviderId, SubscriptionBase, SubscriptionFact, SubscriptionKind, Timestamp, WantKind,
    WantReason,
};

use super::{claim, context, words};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::text::cut;

/// All facts of a subscription are about the one operation of having it.
const OP: &str = "s";

/// What a subscription belongs to.
const RELATIONS: &[(ClaimKind, &str)] = &[
    (ClaimKind::Customer, "customer"),
    (ClaimKind::Method, "default_payment_method"),
    (ClaimKind::Invoice, "latest_invoice"),
];

pub(super) fn read(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let (since, until) = period(draft, object);
    let mut facts = vec![base(draft, object, &id)?];
    facts.extend(cancel_at(draft, object, &id, until)?);
    if since.is_some() || until.is_some() {
        let detail = Detail::none().with_time(DetailKey::Since, since).with_time(DetailKey::Until, until);
        facts.push(fact(draft, SubscriptionKind::Period, detail));
    }
    if let Some(end) = draft.soft(object.seconds("trial_end")) {
        facts.push(fact(draft, SubscriptionKind::Trial, Detail::none().with_time(DetailKey::Until, Some(end))));
    }
    let paused = object.get("pause_collection")?.is_some();
    let pause = if paused { SubscriptionKind::PauseCollection } else { SubscriptionKind::PauseNone };
    facts.push(fact(draft, pause, Detail::none()));
    let named = draft.subscription(&id);
    for fact in facts {
        draft.assert_subscription(&named, fact);
    }
    let subject = draft.subject(SubjectKind::Subscription, &id);
    claim::relations(draft, object, &subject, RELATIONS);
    claim::reference(draft, object, &subject);
    Ok(())
}

fn fact(draft: &Draft, kind: SubscriptionKind, detail: Detail) -> SubscriptionFact {
    draft.subscription_fact(kind, OP, detail)
}

/// The state with its reason and its end. A deleted subscription has ended, whatever its last status was.
fn base(draft: &mut Draft, object: &Object<'_>, id: &ProviderId) -> Result<SubscriptionFact, Malformed> {
    let status = object.text("status")?.unwrap_or_default();
    let deleted = draft.kind() == "customer.subscription.deleted";
    let known = words::SUBSCRIPTION.iter().find(|(word, _)| *word == status).map(|(_, base)| *base);
    let base = match known {
        Some(SubscriptionBase::Expired) => SubscriptionBase::Expired,
        _ if deleted => SubscriptionBase::Canceled,
        Some(base) => base,
        None => {
            draft.unknown("subscription.status", status);
            draft.want(WantKind::Subscription, id, WantReason::UnknownWord);
            SubscriptionBase::Unknown
        }
    };
    let detail = Detail::word(&cut(status)).with(DetailKey::Reason, reason(draft, base, object));
    let ended = if matches!(base, SubscriptionBase::Canceled | SubscriptionBase::Expired) {
        draft.soft(object.seconds("ended_at"))
    } else {
        None
    };
    Ok(fact(draft, SubscriptionKind::Base(base), detail.with_time(DetailKey::Until, ended)))
}

/// Why it ended, in our words; a reason of Stripe's we do not know is counted.
fn reason(draft: &mut Draft, base: SubscriptionBase, object: &Object<'_>) -> &'static str {
    let details = draft.soft(object.object("cancellation_details"));
    let word = details.and_then(|details| draft.soft(details.text("reason"))).unwrap_or_default();
    let known = words::ENDING.iter().find(|(known, _)| *known == word);
    if known.is_none() && !word.is_empty() {
        draft.unknown("subscription.cancellation_details.reason", word);
    }
    let named = known.map_or("", |(_, reason)| *reason);
    match base {
        SubscriptionBase::Suspended => "NONPAYMENT",
        SubscriptionBase::Expired => "NEVER_ACTIVATED",
        SubscriptionBase::Canceled => named,
        SubscriptionBase::Incomplete
        | SubscriptionBase::Pending
        | SubscriptionBase::Trialing
        | SubscriptionBase::Active
        | SubscriptionBase::PastDue
        | SubscriptionBase::Paused
        | SubscriptionBase::Unknown => "",
    }
}

/// Since 2025-03-31 on the items, before on the subscription. Of several items the widest span counts.
fn period(draft: &mut Draft, object: &Object<'_>) -> (Option<Timestamp>, Option<Timestamp>) {
    let mut since = draft.soft(object.seconds("current_period_start"));
    let mut until = draft.soft(object.seconds("current_period_end"));
    for item in context::items(draft, object, "items") {
        let start = draft.soft(item.seconds("current_period_start"));
        since = match (since, start) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        until = until.max(draft.soft(item.seconds("current_period_end")));
    }
    (since, until)
}

/// An end at a date, or at the end of the period; none is a statement too. An end without a date, or a
/// damaged one, is none of the two: it is read back.
fn cancel_at(
    draft: &mut Draft,
    object: &Object<'_>,
    id: &ProviderId,
    period_end: Option<Timestamp>,
) -> Result<Option<SubscriptionFact>, Malformed> {
    let readable = object.bool("cancel_at_period_end").is_ok() && object.seconds("cancel_at").is_ok();
    let at_period_end = draft.unless_twice(object.bool("cancel_at_period_end"))?.unwrap_or(false);
    let end = draft.unless_twice(object.seconds("cancel_at"))?.or(period_end.filter(|_| at_period_end));
    Ok(match end {
        Some(end) => {
            let detail = Detail::none().with_time(DetailKey::Until, Some(end));
            Some(fact(draft, SubscriptionKind::CancelSet, detail))
        }
        None if at_period_end || !readable => {
            draft.want(WantKind::Subscription, id, WantReason::Incomplete);
            None
        }
        None => Some(fact(draft, SubscriptionKind::CancelCleared, Detail::none())),
    })
}
