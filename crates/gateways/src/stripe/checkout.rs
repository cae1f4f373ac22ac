//! Checkout sessions: what links a payment, a subscription and the shop's own reference.

use super::event::Context;
use super::payment_intent::reference;
use super::words;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject};

pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let subject = ClaimSubject::Checkout(object.required_id("id")?);
    claim_word(context, object, &subject, "status", "checkout.session.status")?;
    // Known to be said, never claimed: a second word of one session would contradict the first.
    count_unknown(context, "checkout.session.payment_status", object.text("payment_status")?);
    let payment = context.payment(object.id("payment_intent")?, None);
    context.claim(&subject, ClaimKind::Payment, payment.as_ref().map(|payment| payment.id.as_str()));
    let of_payment = payment.map(ClaimSubject::Payment);
    for (kind, field) in [
        (ClaimKind::Customer, "customer"),
        (ClaimKind::Subscription, "subscription"),
        (ClaimKind::Invoice, "invoice"),
        (ClaimKind::Reference, "client_reference_id"),
    ] {
        let value = match kind {
            ClaimKind::Reference => object.text(field)?.map(str::to_owned),
            _ => object.id(field)?.map(|id| id.to_string()),
        };
        for subject in [Some(&subject), of_payment.as_ref()].into_iter().flatten() {
            context.claim(subject, kind, value.as_deref());
        }
    }
    reference(context, object, &subject)?;
    if let Some(payer) = object.object("customer_details")? {
        context.claim(&subject, ClaimKind::Email, payer.text("email")?);
        context.claim(&subject, ClaimKind::Name, payer.text("name")?);
        context.claim(&subject, ClaimKind::Phone, payer.text("phone")?);
        for tax_id in payer.objects("tax_ids")? {
            if matches!(tax_id.text("type")?, Some("br_cpf" | "br_cnpj")) {
                context.claim(&subject, ClaimKind::PayerDocument, tax_id.text("value")?);
            }
        }
    }
    Ok(())
}

/// A word kept as a claim.
pub(super) fn claim_word(
    context: &mut Context,
    object: &Object<'_>,
    subject: &ClaimSubject,
    key: &'static str,
    field: &'static str,
) -> Result<(), Malformed> {
    let Some(word) = object.text(key)? else { return Ok(()) };
    count_unknown(context, field, Some(word));
    context.claim(subject, ClaimKind::Status, Some(word));
    Ok(())
}

/// A word that is in no table of ours is counted.
pub(super) fn count_unknown(context: &mut Context, field: &'static str, word: Option<&str>) {
    if let Some(word) = word.filter(|word| !words::is_known(field, word)) {
        context.unknown(field, word);
    }
}
