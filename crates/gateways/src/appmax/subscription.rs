//! A subscription as the API of apps shows it, with the orders it was charged by.

use afluente_model::{
    Detail, DetailKey, ProviderId, SubscriptionBase, SubscriptionKind, Timestamp, WantKind, WantReason,
};

use super::{moment, words};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::{Json, Object};
use crate::text::cut;

pub(super) fn read(draft: &mut Draft, data: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    let object = data.object("subscription")?.unwrap_or(data);
    if object.number_or_id("id")?.is_none_or(|named| named != *id) {
        return Err(Malformed::NotAsked);
    }
    let told = draft.at();
    draft.set_at(moment::of(object, "updated_at")?.or(told));
    let status = object.text("status")?.unwrap_or_default();
    let known = words::SUBSCRIPTION.iter().find(|(word, _)| word.eq_ignore_ascii_case(status.trim()));
    if known.is_none() {
        draft.unknown("subscription.status", status);
    }
    let base = known.map_or(SubscriptionBase::Unknown, |(_, base)| *base);
    let detail = Detail::word(&cut(status));
    let detail = if base == SubscriptionBase::Canceled {
        let ended: Option<Timestamp> = draft.soft(moment::of(object, "cancelled_at"));
        detail.with_time(DetailKey::Until, ended.or(draft.at()))
    } else {
        detail
    };
    let reference = draft.subscription(id);
    let fact = draft.subscription_fact(SubscriptionKind::Base(base), "s", detail);
    draft.assert_subscription(&reference, fact);
    let subject = draft.subject(SubjectKind::Subscription, id);
    if let Some(customer) = draft.soft(object.object("customer")) {
        draft.claim(&subject, ClaimKind::Customer, customer.number_or_id("id"));
        draft.claim(&subject, ClaimKind::Email, customer.text("email"));
    }
    draft.claim(&subject, ClaimKind::Customer, object.number_or_id("customer_id"));
    charges(draft, object, id)
}

/// The orders it was charged by: each is a payment of its own, asked for unless it is known.
fn charges(draft: &mut Draft, object: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    for item in draft.unless_twice(object.list("charges"))?.unwrap_or_default() {
        let Json::Object(charge) = item else {
            draft.note(Malformed::Shape { field: "charges", expected: "a list of objects" });
            continue;
        };
        let Some(order) = draft.soft(charge.number_or_id("order_id")) else { continue };
        let payment = draft.subject(SubjectKind::Payment, &order);
        draft.claim(&payment, ClaimKind::Subscription, Ok(Some(id.clone())));
        draft.want(WantKind::Payment, &order, WantReason::Unconfirmed);
    }
    Ok(())
}
