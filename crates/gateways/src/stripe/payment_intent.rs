//! Payment intents: the payment as Stripe's customers see it.

use afluente_model::{
    AttemptKind, AuthKind, CaptureKind, Detail, DetailKey, INTENT_OP, PaymentKind, PaymentRef, ProviderId, TotalsKind,
};

use super::charge;
use super::event::{Context, asked};
use super::words::{self, When};
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject};

/// The error code of a voucher or Pix code that nobody paid in time.
pub(super) const RAN_OUT: &str = "payment_intent_payment_attempt_expired";

pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let error = object.object("last_payment_error")?;
    let failed_charge = error.map(|error| error.id("charge")).transpose()?.flatten();
    let latest = match object.id("latest_charge")? {
        Some(charge) => Some(charge),
        None => failed_charge.clone(),
    };
    let Some(payment) = context.payment(Some(id.clone()), latest.clone()) else { return Ok(()) };
    if let Some(charge) = failed_charge.clone() {
        context.payment(Some(id.clone()), Some(charge));
    }
    let status = object.text("status")?.unwrap_or_default();
    let when = condition(object, status, error)?;
    match words::find(words::INTENT, status, when) {
        None => context.unmapped(&payment, "payment_intent.status", status, ("payment_intent", &id)),
        Some(row) => {
            for kind in row.facts {
                assert(
                    context,
                    object,
                    &payment,
                    *kind,
                    &Charges { latest: latest.as_ref(), failed: failed_charge.as_ref() },
                )?;
            }
        }
    }
    embedded_charges(context, object)?;
    claims(context, object, payment)
}

/// The charges an intent names.
struct Charges<'a> {
    latest: Option<&'a ProviderId>,
    failed: Option<&'a ProviderId>,
}

fn condition(object: &Object<'_>, status: &str, error: Option<&Object<'_>>) -> Result<When, Malformed> {
    if status == "canceled" {
        let reason = object.text("cancellation_reason")?.unwrap_or_default();
        let known = words::CANCELLATION.iter().find(|(word, _, _)| *word == reason);
        return Ok(known.map_or(When::Decision, |(_, when, _)| *when));
    }
    Ok(match error {
        None => When::NoError,
        Some(error) if error.text("code")? == Some(RAN_OUT) => When::RanOut,
        Some(_) => When::LastError,
    })
}

fn assert(
    context: &mut Context,
    object: &Object<'_>,
    payment: &PaymentRef,
    kind: PaymentKind,
    charges: &Charges<'_>,
) -> Result<(), Malformed> {
    let word = object.text("status")?.unwrap_or_default().to_owned();
    let (amount, currency) = (object.amount("amount")?, object.currency("currency")?);
    let on_charge = charges.latest.map_or(INTENT_OP, ProviderId::as_str);
    match kind {
        PaymentKind::Totals(TotalsKind::Captured) => {
            let fact = context.fact(kind, "t", &word).money(received(object)?, currency);
            context.assert(payment, fact);
        }
        // Only where the charge is named: a capture under another name would be counted beside the charge's own.
        PaymentKind::Capture(CaptureKind::Succeeded) => {
            if let Some(charge) = charges.latest {
                let fact = context.fact(kind, charge.as_str(), &word).money(received(object)?, currency);
                let detail = asked(fact.detail.clone(), amount);
                context.assert(payment, fact.detail(detail));
            }
        }
        PaymentKind::Auth(AuthKind::Authorized) => {
            let held = object.amount("amount_capturable")?.filter(|held| held.minor() > 0).or(amount);
            let fact = context.fact(kind, on_charge, &word).money(held, currency);
            let detail = asked(fact.detail.clone(), amount);
            context.assert(payment, fact.detail(detail));
        }
        PaymentKind::Auth(_) => {
            let fact = context.fact(kind, on_charge, &word);
            context.assert(payment, fact);
        }
        PaymentKind::Attempt(AttemptKind::Declined | AttemptKind::Expired) if charges.failed.is_some() => {
            // The try failed, and with it what was known of the intent: both in one second, whatever came before.
            for op in [charges.failed.map_or(INTENT_OP, ProviderId::as_str), INTENT_OP] {
                let fact = context.fact(kind, op, &word);
                let detail = ending(fact.detail.clone(), object)?;
                context.assert(payment, fact.detail(detail));
            }
        }
        _ => {
            let fact = context.fact(kind, INTENT_OP, &word);
            let detail = waiting(ending(asked(fact.detail.clone(), amount), object)?, object)?;
            context.assert(payment, fact.detail(detail));
        }
    }
    Ok(())
}

fn received(object: &Object<'_>) -> Result<Option<afluente_model::Amount>, Malformed> {
    match object.amount("amount_received")? {
        Some(received) => Ok(Some(received)),
        None => object.amount("amount"),
    }
}

/// Why it ended: the failure's code, the cancellation's reason in our words.
fn ending(detail: Detail, object: &Object<'_>) -> Result<Detail, Malformed> {
    let detail = match object.object("last_payment_error")? {
        None => detail,
        Some(error) => match error.text("decline_code")? {
            Some(code) => detail.with(DetailKey::Code, code),
            None => detail.with(DetailKey::Code, error.text("code")?.unwrap_or_default()),
        },
    };
    let reason = object.text("cancellation_reason")?.unwrap_or_default();
    let known = words::CANCELLATION.iter().find(|(word, _, _)| *word == reason);
    Ok(known.map_or(detail.clone(), |(_, _, reason)| detail.with(DetailKey::Reason, reason)))
}

/// Until when the payer may act on a Pix code, a boleto or another voucher.
fn waiting(detail: Detail, object: &Object<'_>) -> Result<Detail, Malformed> {
    let Some(action) = object.object("next_action")? else { return Ok(detail) };
    for shown in ["pix_display_qr_code", "boleto_display_details", "oxxo_display_details", "konbini_display_details"] {
        if let Some(shown) = action.object(shown)? {
            return Ok(detail.with_time(DetailKey::ExpiresAt, shown.seconds("expires_at")?));
        }
    }
    Ok(detail)
}

/// Before 2022-11-15 an intent carried its charges.
fn embedded_charges(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let Some(charges) = object.object("charges")? else { return Ok(()) };
    for charge in charges.objects("data")? {
        charge::read(context, charge)?;
    }
    Ok(())
}

fn claims(context: &mut Context, object: &Object<'_>, payment: PaymentRef) -> Result<(), Malformed> {
    let subject = ClaimSubject::Payment(payment);
    context.claim(&subject, ClaimKind::Customer, object.id("customer")?.as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Email, object.text("receipt_email")?);
    context.claim(&subject, ClaimKind::Method, object.id("payment_method")?.as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Invoice, object.id("invoice")?.as_ref().map(ProviderId::as_str));
    reference(context, object, &subject)
}

/// The merchant's own reference, under the names shops use.
pub(super) fn reference(context: &mut Context, object: &Object<'_>, subject: &ClaimSubject) -> Result<(), Malformed> {
    let Some(metadata) = object.object("metadata")? else { return Ok(()) };
    for key in ["order_id", "reference", "external_reference"] {
        context.claim(subject, ClaimKind::Reference, metadata.text(key)?);
    }
    Ok(())
}
