//! Invoices and the payments made on them: relations, no money of their own. The intent or charge says what was paid.

use afluente_model::ProviderId;

use super::checkout::claim_word;
use super::event::Context;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject, IgnoredBecause};

pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    // A preview (`invoice.upcoming`) has no id, or one that begins like this.
    let Some(id) = object.id("id")?.filter(|id| !id.as_str().starts_with("upcoming_in")) else {
        if &*context.kind != "invoice.upcoming" {
            return Err(Malformed::Id { field: "id" });
        }
        context.reading.ignored = Some(IgnoredBecause::NothingToSay);
        return Ok(());
    };
    let subject = ClaimSubject::Invoice(id);
    claim_word(context, object, &subject, "status", "invoice.status")?;
    context.claim(&subject, ClaimKind::Customer, object.id("customer")?.as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Email, object.text("customer_email")?);
    context.claim(&subject, ClaimKind::Name, object.text("customer_name")?);
    context.claim(&subject, ClaimKind::Phone, object.text("customer_phone")?);
    for tax_id in object.objects("customer_tax_ids")? {
        if matches!(tax_id.text("type")?, Some("br_cpf" | "br_cnpj")) {
            context.claim(&subject, ClaimKind::Document, tax_id.text("value")?);
        }
    }
    context.claim(&subject, ClaimKind::Subscription, subscription(object)?.as_ref().map(ProviderId::as_str));
    for paid_by in paid_by(object)? {
        context.claim(&subject, ClaimKind::Payment, Some(paid_by.as_str()));
    }
    Ok(())
}

/// Since 2025-03-31 under `parent`, before on the invoice.
fn subscription(object: &Object<'_>) -> Result<Option<ProviderId>, Malformed> {
    let parent = object.object("parent")?.map(|parent| parent.object("subscription_details")).transpose()?.flatten();
    match parent {
        Some(details) => details.id("subscription"),
        None => object.id("subscription"),
    }
}

/// Since 2025-03-31 in a list that webhooks rarely carry, before on the invoice.
fn paid_by(object: &Object<'_>) -> Result<Vec<ProviderId>, Malformed> {
    let mut found: Vec<ProviderId> = object.id("payment_intent")?.into_iter().collect();
    if found.is_empty() {
        found.extend(object.id("charge")?);
    }
    if let Some(payments) = object.object("payments")? {
        for payment in payments.objects("data")? {
            found.extend(named(payment)?);
        }
    }
    Ok(found)
}

/// The intent or charge of an invoice payment; a payment made outside Stripe has neither.
fn named(payment: &Object<'_>) -> Result<Option<ProviderId>, Malformed> {
    let Some(payment) = payment.object("payment")? else { return Ok(None) };
    match payment.id("payment_intent")? {
        Some(intent) => Ok(Some(intent)),
        None => payment.id("charge"),
    }
}

/// `invoice_payment.*`: the one place that always tells which payment belongs to which invoice.
pub(super) fn payment(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    object.required_id("id")?;
    let Some(invoice) = object.id("invoice")? else {
        context.reading.ignored = Some(IgnoredBecause::NothingToSay);
        return Ok(());
    };
    let subject = ClaimSubject::Invoice(invoice);
    claim_word(context, object, &subject, "status", "invoice_payment.status")?;
    context.claim(&subject, ClaimKind::Payment, named(object)?.as_ref().map(ProviderId::as_str));
    Ok(())
}
