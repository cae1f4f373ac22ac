//! Subscriptions, in the families of their own fold.

use afluente_model::{
    Detail, DetailKey, Fact, ProviderId, SubscriptionBase, SubscriptionFact, SubscriptionKind, Timestamp,
};

use super::event::{Context, cut};
use super::payment_intent::reference;
use super::words;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject, WantReason};

/// All facts of a subscription are about the one operation of having it.
const OP: &str = "s";

pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let named = context.subscription(id.clone());
    let mut facts = vec![base(context, object, &id)?];
    let (since, until) = period(object)?;
    if since.is_some() || until.is_some() {
        let detail = Detail::none().with_time(DetailKey::Since, since).with_time(DetailKey::Until, until);
        facts.push(fact(context, SubscriptionKind::Period, detail));
    }
    facts.push(cancel_at(context, object, until)?);
    if let Some(end) = object.seconds("trial_end")? {
        facts.push(fact(context, SubscriptionKind::Trial, Detail::none().with_time(DetailKey::Until, Some(end))));
    }
    let paused = object.get("pause_collection")?.is_some();
    let pause = if paused { SubscriptionKind::PauseCollection } else { SubscriptionKind::PauseNone };
    facts.push(fact(context, pause, Detail::none()));
    context.reading.subscriptions.extend(facts.into_iter().map(|fact| (named.clone(), fact)));
    let subject = ClaimSubject::Subscription(named);
    context.claim(&subject, ClaimKind::Customer, object.id("customer")?.as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Method, object.id("default_payment_method")?.as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Invoice, object.id("latest_invoice")?.as_ref().map(ProviderId::as_str));
    reference(context, object, &subject)
}

fn fact(context: &Context, kind: SubscriptionKind, detail: Detail) -> SubscriptionFact {
    Fact::new(kind, OP, context.at, context.source()).detail(detail)
}

/// The state with its reason and its end. A deleted subscription has ended, whatever its last status was.
fn base(context: &mut Context, object: &Object<'_>, id: &ProviderId) -> Result<SubscriptionFact, Malformed> {
    let status = object.text("status")?.unwrap_or_default();
    let deleted = &*context.kind == "customer.subscription.deleted";
    let known = words::SUBSCRIPTION.iter().find(|(word, _)| *word == status).map(|(_, base)| *base);
    let base = match known {
        Some(SubscriptionBase::Expired) => SubscriptionBase::Expired,
        _ if deleted => SubscriptionBase::Canceled,
        Some(base) => base,
        None => {
            context.unknown("subscription.status", status);
            context.want("subscription", id, WantReason::UnknownWord);
            SubscriptionBase::Unknown
        }
    };
    let detail = Detail::word(&cut(status)).with(DetailKey::Reason, reason(context, base, object)?);
    let ended = if matches!(base, SubscriptionBase::Canceled | SubscriptionBase::Expired) {
        object.seconds("ended_at")?
    } else {
        None
    };
    Ok(fact(context, SubscriptionKind::Base(base), detail.with_time(DetailKey::Until, ended)))
}

/// Why it ended, in our words; a reason of Stripe's we do not know is counted.
fn reason(context: &mut Context, base: SubscriptionBase, object: &Object<'_>) -> Result<&'static str, Malformed> {
    let details = object.object("cancellation_details")?;
    let word = details.map(|details| details.text("reason")).transpose()?.flatten().unwrap_or_default();
    let known = words::ENDING.iter().find(|(known, _)| *known == word);
    if known.is_none() && !word.is_empty() {
        context.unknown("subscription.cancellation_details.reason", word);
    }
    let named = known.map_or("", |(_, reason)| *reason);
    Ok(match base {
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
    })
}

/// Since 2025-03-31 on the items, before on the subscription. Of several items the widest span counts.
fn period(object: &Object<'_>) -> Result<(Option<Timestamp>, Option<Timestamp>), Malformed> {
    let (mut since, mut until) = (object.seconds("current_period_start")?, object.seconds("current_period_end")?);
    if let Some(items) = object.object("items")? {
        for item in items.objects("data")? {
            let start = item.seconds("current_period_start")?;
            since = match (since, start) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            until = until.max(item.seconds("current_period_end")?);
        }
    }
    Ok((since, until))
}

/// An end at a date, or at the end of the period; none is a statement too.
fn cancel_at(
    context: &Context,
    object: &Object<'_>,
    period_end: Option<Timestamp>,
) -> Result<SubscriptionFact, Malformed> {
    let at_period_end = object.bool("cancel_at_period_end")?.unwrap_or(false);
    let end = object.seconds("cancel_at")?.or(period_end.filter(|_| at_period_end));
    Ok(match end {
        Some(end) => fact(context, SubscriptionKind::CancelSet, Detail::none().with_time(DetailKey::Until, Some(end))),
        None => fact(context, SubscriptionKind::CancelCleared, Detail::none()),
    })
}
