//! Subscriptions (preapprovals) and their instalments (authorized payments).

use afluente_model::{
    Detail, DetailKey, ProviderId, SubscriptionBase, SubscriptionKind, SubscriptionReason, Timestamp, WantKind,
    WantReason,
};

use super::{answer, claim, words};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::text::cut;

/// A subscription: its word, and what is computed from the dates and counts beside it.
pub(super) fn read(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    draft.set_at(object.rfc3339("last_modified")?);
    let id = object.required_id("id")?;
    let subject = draft.subject(SubjectKind::Subscription, &id);
    claim::references(draft, object, &subject);
    draft.claim(&subject, ClaimKind::Customer, object.number_or_id("payer_id"));
    draft.claim(&subject, ClaimKind::Email, object.text("payer_email"));
    let status = object.text("status")?.unwrap_or_default();
    let known = words::SUBSCRIPTION.iter().find(|(word, _)| *word == status).map(|(_, base)| *base);
    let subscription = draft.subscription(&id);
    let trial_end = trial_end(draft, object)?;
    let base = match known {
        None => {
            draft.unknown("preapproval.status", status);
            SubscriptionBase::Unknown
        }
        Some(SubscriptionBase::Active) => running(draft, object, trial_end)?,
        Some(SubscriptionBase::Canceled) if is_complete(draft, object)? => SubscriptionBase::Expired,
        Some(base) => base,
    };
    let mut detail = Detail::word(&cut(status));
    if base == SubscriptionBase::Expired {
        detail = detail.with(DetailKey::Reason, SubscriptionReason::Completed.as_str());
    }
    if matches!(base, SubscriptionBase::Canceled | SubscriptionBase::Expired) {
        detail = detail.with_time(DetailKey::Until, draft.at());
    }
    let fact = draft.subscription_fact(SubscriptionKind::Base(base), "s", detail);
    draft.assert_subscription(&subscription, fact);
    if trial_end.is_some() {
        let detail = Detail::none().with_time(DetailKey::Until, trial_end);
        let fact = draft.subscription_fact(SubscriptionKind::Trial, "s", detail);
        draft.assert_subscription(&subscription, fact);
    }
    period(draft, object, &id)
}

/// What `authorized` means: in debt where the semaphore is not green, in its trial until that ends, else active.
fn running(
    draft: &mut Draft,
    object: &Object<'_>,
    trial_end: Option<Timestamp>,
) -> Result<SubscriptionBase, Malformed> {
    let summary = draft.unless_twice(object.object("summarized"))?;
    let light = summary.and_then(|summary| draft.soft(summary.text("semaphore")));
    Ok(match light {
        Some("yellow" | "red") => SubscriptionBase::PastDue,
        _ if trial_end > draft.at() => SubscriptionBase::Trialing,
        _ => SubscriptionBase::Active,
    })
}

/// When a free trial ends: so many days or months (of thirty days, for want of a rule) after the beginning.
fn trial_end(draft: &mut Draft, object: &Object<'_>) -> Result<Option<Timestamp>, Malformed> {
    let Some(recurring) = draft.unless_twice(object.object("auto_recurring"))? else { return Ok(None) };
    let Some(trial) = draft.unless_twice(recurring.object("free_trial"))? else { return Ok(None) };
    let begin = recurring.rfc3339("start_date")?.or(object.rfc3339("date_created")?);
    let count = draft.soft(trial.amount("frequency")).map_or(0, afluente_model::Amount::minor);
    let days = match draft.soft(trial.text("frequency_type")) {
        Some("days") => count,
        Some("months") => count.saturating_mul(30),
        _ => return Ok(None),
    };
    Ok(begin.map(|begin| begin.shifted(days.saturating_mul(86_400_000_000))))
}

/// Whether it ended as it was meant to: its last day was over, or every instalment was charged.
fn is_complete(draft: &mut Draft, object: &Object<'_>) -> Result<bool, Malformed> {
    let recurring = draft.unless_twice(object.object("auto_recurring"))?;
    let end = recurring.map(|recurring| recurring.rfc3339("end_date")).transpose()?.flatten();
    let summary = draft.unless_twice(object.object("summarized"))?;
    let count = |draft: &mut Draft, key| summary.and_then(|summary| draft.soft(summary.amount(key)));
    let (all, charged) = (count(draft, "quotas"), count(draft, "charged_quantity"));
    let over = end.zip(draft.at()).is_some_and(|(end, at)| end <= at);
    Ok(over || all.zip(charged).is_some_and(|(all, charged)| all.minor() > 0 && charged >= all))
}

/// From the last charge to the next.
fn period(draft: &mut Draft, object: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    let summary = draft.unless_twice(object.object("summarized"))?;
    let since = summary.and_then(|summary| draft.soft(summary.rfc3339("last_charged_date")));
    let until = draft.soft(object.rfc3339("next_payment_date"));
    if since.is_none() && until.is_none() {
        return Ok(());
    }
    let detail = Detail::none().with_time(DetailKey::Since, since).with_time(DetailKey::Until, until);
    let subscription = draft.subscription(id);
    let fact = draft.subscription_fact(SubscriptionKind::Period, "s", detail);
    draft.assert_subscription(&subscription, fact);
    Ok(())
}

/// An instalment: which payment is of which subscription. How either stands, each says itself.
pub(super) fn instalment(draft: &mut Draft, object: &Object<'_>) {
    answer::known(draft, object, "authorized_payment.status");
    let subscription = draft.soft(object.number_or_id("preapproval_id"));
    let payment = draft.soft(object.object("payment")).and_then(|payment| draft.soft(payment.number_or_id("id")));
    if let Some(id) = &payment {
        // It has notices of its own.
        draft.want(WantKind::Payment, id, WantReason::Unconfirmed);
        let subject = draft.subject(SubjectKind::Payment, id);
        draft.claim(&subject, ClaimKind::Subscription, Ok(subscription.clone()));
        claim::references(draft, object, &subject);
    }
    if let Some(id) = subscription {
        draft.want(WantKind::Subscription, &id, WantReason::Hint);
    }
}
