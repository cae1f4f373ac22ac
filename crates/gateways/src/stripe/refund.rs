//! Refunds, each an operation of its own.

use afluente_model::{
    AuthKind, DetailKey, INTENT_OP, PaymentFact, PaymentKind, PaymentRef, ProviderId, Timestamp, WantKind, WantReason,
};

use super::context;
use super::words::{self, When};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::IgnoredBecause;
use crate::text::noted;

/// A refund of its own event.
pub(super) fn read(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let Some(payment) = context::payment(draft, object.id("payment_intent")?, object.id("charge")?) else {
        // Money went back, and the body does not say from what.
        draft.want(WantKind::Refund, &id, WantReason::Incomplete);
        draft.ignore(IgnoredBecause::NothingToSay);
        return Ok(());
    };
    let started = object.seconds("created")?;
    returned(draft, object, &id, &payment, (When::Always, started))
}

/// A refund in the list of its charge, whose total holds it too, whatever the clocks say: a damaged one is noted, and one
/// without a status says nothing beside that total. One without an id is from before 2014-06-17, and no operation.
pub(super) fn inside(draft: &mut Draft, object: &Object<'_>, payment: &PaymentRef) {
    let Some(id) = draft.soft(object.id("id")) else { return };
    let started = [draft.soft(object.seconds("created")), draft.at()].into_iter().flatten().min();
    if let Err(damage) = returned(draft, object, &id, payment, (When::InCharge, started)) {
        draft.note(damage);
    }
}

fn returned(
    draft: &mut Draft,
    object: &Object<'_>,
    id: &ProviderId,
    payment: &PaymentRef,
    (when, started): (When, Option<Timestamp>),
) -> Result<(), Malformed> {
    let reason = draft.unless_twice(object.text("reason"))?.unwrap_or_default();
    let released = words::find(words::REFUND_REASON, reason, When::Always).map_or(&[][..], |row| row.facts);
    if !released.is_empty() {
        return hold_ran_out(draft, object, payment, released);
    }
    let status = object.text("status")?.unwrap_or_default();
    let Some(row) = words::find(words::REFUND, status, when) else {
        draft.unmapped(payment, "refund.status", status, (WantKind::Refund, id));
        return Ok(());
    };
    for kind in row.facts {
        let fact = draft
            .fact(*kind, id.as_str(), status)
            .money(object.amount("amount")?, object.currency("currency")?)
            .counted_from(started);
        let code = draft.soft(object.text("failure_reason")).unwrap_or_default();
        let detail = noted(fact.detail.clone(), DetailKey::Code, code);
        draft.assert(payment, fact.detail(detail));
    }
    Ok(())
}

/// The end of a hold nobody captured. That money was held is certain; since when, this body does not say.
fn hold_ran_out(
    draft: &mut Draft,
    object: &Object<'_>,
    payment: &PaymentRef,
    kinds: &[PaymentKind],
) -> Result<(), Malformed> {
    let charge = object.id("charge")?;
    let op = charge.as_ref().map_or(INTENT_OP, ProviderId::as_str);
    let (amount, currency) = (object.amount("amount")?, object.currency("currency")?);
    for kind in kinds {
        let fact = draft.fact(*kind, op, "expired").money(None, currency);
        let held = *kind == PaymentKind::Auth(AuthKind::Authorized);
        let fact = if held { PaymentFact { at: None, amount, ..fact } } else { fact };
        draft.assert(payment, fact);
    }
    Ok(())
}
