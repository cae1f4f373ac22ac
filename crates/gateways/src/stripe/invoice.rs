//! Invoices and the payments made on them: relations, no money of their own. The intent or charge says what was paid.

use afluente_model::ProviderId;

use super::checkout::{claim_word, count_unknown};
use super::event::Context;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject, IgnoredBecause};

pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.id("id")?;
    // A preview has no id, or one that begins like this.
    let upcoming = id.as_ref().is_some_and(|id| id.as_str().starts_with("upcoming_in"));
    if upcoming || &*context.kind == "invoice.upcoming" {
        context.reading.ignored = Some(IgnoredBecause::NothingToSay);
        return Ok(());
    }
    let id = id.ok_or(Malformed::Id { field: "id" })?;
    let subject = ClaimSubject::Invoice(id.clone());
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
    let subscription = subscription(object)?;
    context.claim(&subject, ClaimKind::Subscription, subscription.as_ref().map(ProviderId::as_str));
    for (intent, charge) in paid_by(object)? {
        relate(context, &id, intent, charge, subscription.as_ref());
    }
    if &*context.kind == "invoice.deleted" {
        context.claim(&subject, ClaimKind::Deleted, Some("true"));
    }
    Ok(())
}

/// An invoice is a payment's parent, never another name of it: told from both sides.
fn relate(
    context: &mut Context,
    invoice: &ProviderId,
    intent: Option<ProviderId>,
    charge: Option<ProviderId>,
    subscription: Option<&ProviderId>,
) {
    let Some(payment) = context.payment(intent, charge) else { return };
    let of_invoice = ClaimSubject::Invoice(invoice.clone());
    context.claim(&of_invoice, ClaimKind::Payment, Some(payment.id.as_str()));
    let of_payment = ClaimSubject::Payment(payment);
    context.claim(&of_payment, ClaimKind::Invoice, Some(invoice.as_str()));
    context.claim(&of_payment, ClaimKind::Subscription, subscription.map(ProviderId::as_str));
}

/// Since 2025-03-31 under `parent`, before on the invoice.
fn subscription(object: &Object<'_>) -> Result<Option<ProviderId>, Malformed> {
    let parent = object.object("parent")?.map(|parent| parent.object("subscription_details")).transpose()?.flatten();
    match parent {
        Some(details) => details.id("subscription"),
        None => object.id("subscription"),
    }
}

/// An intent, a charge, or both.
type PaidBy = (Option<ProviderId>, Option<ProviderId>);

/// Since 2025-03-31 in a list that webhooks rarely carry, before on the invoice.
fn paid_by(object: &Object<'_>) -> Result<Vec<PaidBy>, Malformed> {
    let mut found = vec![(object.id("payment_intent")?, object.id("charge")?)];
    if let Some(payments) = object.object("payments")? {
        for payment in payments.objects("data")? {
            found.push(named(payment)?);
        }
    }
    Ok(found)
}

/// The intent or charge of an invoice payment; a payment made outside Stripe has neither.
fn named(payment: &Object<'_>) -> Result<PaidBy, Malformed> {
    let Some(payment) = payment.object("payment")? else { return Ok((None, None)) };
    Ok((payment.id("payment_intent")?, payment.id("charge")?))
}

/// `invoice_payment.*`: the one place that always tells which payment belongs to which invoice.
pub(super) fn payment(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    object.required_id("id")?;
    let Some(invoice) = object.id("invoice")? else {
        context.reading.ignored = Some(IgnoredBecause::NothingToSay);
        return Ok(());
    };
    count_unknown(context, "invoice_payment.status", object.text("status")?);
    let (intent, charge) = named(object)?;
    relate(context, &invoice, intent, charge, None);
    Ok(())
}
