//! An invoice: one cycle of a subscription. Its charge is the payment; whether the cycle was paid is all that tells a debt, for a
//! subscription is called `active` all the while.

use afluente_model::{Detail, SubscriptionBase, SubscriptionKind, Timestamp, WantKind, WantReason};

use super::charge::{self, Around};
use super::{RESOLUTION, claim, event, subscription, words};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::text::cut;

pub(super) fn read(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let subject = event::about(draft, object, SubjectKind::Invoice, &id);
    let subscription = claim::subscription_of(draft, object);
    draft.claim(&subject, ClaimKind::Subscription, Ok(subscription.clone()));
    let status = object.text("status")?.unwrap_or_default();
    draft.claim(&subject, ClaimKind::Status, Ok(Some(status)));
    // One without a charge has it told by notices of its own.
    if let Some(one) = draft.unless_twice(object.object("charge"))? {
        let charge = one.required_id("id")?;
        draft.claim(&subject, ClaimKind::Payment, Ok(Some(charge.clone())));
        let payment = draft.subject(SubjectKind::Payment, &charge);
        draft.claim(&payment, ClaimKind::Invoice, Ok(Some(id)));
        draft.claim(&payment, ClaimKind::Subscription, Ok(subscription.clone()));
        charge::read(draft, one, Around::default())?;
    }
    let known = words::INVOICE.iter().find(|(word, _)| *word == status);
    if known.is_none() {
        draft.unknown("invoice.status", status);
    }
    let base = known.and_then(|(_, base)| *base);
    if let (Some(base), Some(subscription)) = (base, subscription) {
        let told = draft.at();
        let at = subscription::no_later(moment(draft, object, base)?, told);
        draft.set_at(at);
        let fact = draft.subscription_fact(SubscriptionKind::Base(base), "s", Detail::word(&cut(status)));
        let reference = draft.subscription(&subscription);
        draft.assert_subscription(&reference, fact);
        draft.set_at(told);
        subscription::period(draft, object, &reference)?;
        // What is said of its subscription in passing; the subscription's own word has its own time.
        draft.want(WantKind::Subscription, &subscription, WantReason::Unconfirmed);
    }
    Ok(())
}

/// When a cycle's failure or payment counts from. Not from when it happened: an old invoice that is paid after the subscription was
/// canceled must not revive it, and one that was paid in the end is paid, whichever word comes last.
fn moment(draft: &mut Draft, object: &Object<'_>, base: SubscriptionBase) -> Result<Option<Timestamp>, Malformed> {
    let cycle = draft.unless_twice(object.object("cycle"))?;
    let begun = cycle.map(|cycle| cycle.moment("start_at")).transpose()?.flatten();
    let begun = begun.or(object.moment("billing_at")?).or(object.moment("created_at")?);
    let later = if base == SubscriptionBase::Active { RESOLUTION.micros() } else { 0 };
    Ok(begun.map(|at| at.cut_to(RESOLUTION).shifted(later)))
}
