//! Refunds, each an operation of its own.

use afluente_model::{AuthKind, DetailKey, INTENT_OP, PaymentFact, PaymentKind, PaymentRef, ProviderId};

use super::event::{Context, noted};
use super::words::{self, When};
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{IgnoredBecause, WantReason};

/// A refund of its own event, or one that came inside its charge.
pub(super) fn read(context: &mut Context, object: &Object<'_>, inside: Option<&PaymentRef>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let payment = match inside {
        Some(payment) => Some(payment.clone()),
        None => context.payment(object.id("payment_intent")?, object.id("charge")?),
    };
    let Some(payment) = payment else {
        // Money went back, and the body does not say from what.
        context.want("refund", &id, WantReason::Incomplete);
        context.reading.ignored = Some(IgnoredBecause::NothingToSay);
        return Ok(());
    };
    let reason = object.text("reason")?.unwrap_or_default();
    let released = words::find(words::REFUND_REASON, reason, When::Always).map_or(&[][..], |row| row.facts);
    if !released.is_empty() {
        return hold_ran_out(context, object, &payment, released);
    }
    let status = object.text("status")?.unwrap_or_default();
    let Some(row) = words::find(words::REFUND, status, When::Always) else {
        context.unmapped(&payment, "refund.status", status, ("refund", &id));
        return Ok(());
    };
    for kind in row.facts {
        let fact = context
            .fact(*kind, id.as_str(), status)
            .money(object.amount("amount")?, object.currency("currency")?)
            .counted_from(object.seconds("created")?);
        let code = object.text("failure_reason")?.unwrap_or_default();
        let detail = noted(fact.detail.clone(), DetailKey::Code, code);
        context.assert(&payment, fact.detail(detail));
    }
    Ok(())
}

/// The end of a hold nobody captured. That money was held is certain; since when, this body does not say.
fn hold_ran_out(
    context: &mut Context,
    object: &Object<'_>,
    payment: &PaymentRef,
    kinds: &[PaymentKind],
) -> Result<(), Malformed> {
    let charge = object.id("charge")?;
    let op = charge.as_ref().map_or(INTENT_OP, ProviderId::as_str);
    let (amount, currency) = (object.amount("amount")?, object.currency("currency")?);
    for kind in kinds {
        let fact = context.fact(*kind, op, "expired").money(None, currency);
        let held = *kind == PaymentKind::Auth(AuthKind::Authorized);
        let fact = if held { PaymentFact { at: None, amount, ..fact } } else { fact };
        context.assert(payment, fact);
    }
    Ok(())
}
