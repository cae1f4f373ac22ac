//! Checkout sessions: what links a payment, a subscription and the shop's own reference.

use afluente_model::ProviderId;

use super::event::Context;
use super::words;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject};

pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let subject = ClaimSubject::Checkout(object.required_id("id")?);
    claim_word(context, object, &subject, "status", "checkout.session.status")?;
    claim_word(context, object, &subject, "payment_status", "checkout.session.payment_status")?;
    for (kind, field) in [
        (ClaimKind::Customer, "customer"),
        (ClaimKind::Payment, "payment_intent"),
        (ClaimKind::Subscription, "subscription"),
        (ClaimKind::Invoice, "invoice"),
    ] {
        context.claim(&subject, kind, object.id(field)?.as_ref().map(ProviderId::as_str));
    }
    context.claim(&subject, ClaimKind::Reference, object.text("client_reference_id")?);
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

/// A word kept as a claim; one that is in no table of ours is counted as well.
pub(super) fn claim_word(
    context: &mut Context,
    object: &Object<'_>,
    subject: &ClaimSubject,
    key: &'static str,
    field: &'static str,
) -> Result<(), Malformed> {
    let Some(word) = object.text(key)? else { return Ok(()) };
    let known = words::CLAIMED.iter().any(|(known, words)| *known == field && words.contains(&word));
    if !known {
        context.unknown(field, word);
    }
    context.claim(subject, ClaimKind::Status, Some(word));
    Ok(())
}
