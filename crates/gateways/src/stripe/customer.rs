//! Customers and their payment methods: claims, and tombstones where they are gone.

use afluente_model::ProviderId;

use super::charge::card_claims;
use super::event::Context;
use super::payment_intent::reference;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject};

/// A customer. A deleted one comes whole, or as no more than its id and `deleted`.
pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let subject = ClaimSubject::Customer(object.required_id("id")?);
    context.claim(&subject, ClaimKind::Email, object.text("email")?);
    context.claim(&subject, ClaimKind::Name, object.text("name")?);
    context.claim(&subject, ClaimKind::Phone, object.text("phone")?);
    if let Some(tax_ids) = object.object("tax_ids")? {
        for tax_id in tax_ids.objects("data")? {
            if matches!(tax_id.text("type")?, Some("br_cpf" | "br_cnpj")) {
                context.claim(&subject, ClaimKind::Document, tax_id.text("value")?);
            }
        }
    }
    if &*context.kind == "customer.deleted" || object.bool("deleted")? == Some(true) {
        context.claim(&subject, ClaimKind::Deleted, Some("true"));
    }
    reference(context, object, &subject)
}

/// A payment method. A detached one names its customer only among the previous attributes.
pub(super) fn method(context: &mut Context, object: &Object<'_>, data: &Object<'_>) -> Result<(), Malformed> {
    let subject = ClaimSubject::Method(object.required_id("id")?);
    let customer = object.id("customer")?;
    let attached = if customer.is_some() { "true" } else { "false" };
    let before = data.object("previous_attributes")?.map(|before| before.id("customer")).transpose()?.flatten();
    context.claim(&subject, ClaimKind::Customer, customer.or(before).as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Attached, Some(attached));
    context.claim(&subject, ClaimKind::MethodKind, object.text("type")?);
    if let Some(card) = object.object("card")? {
        card_claims(context, card, &subject)?;
    }
    if let Some(billing) = object.object("billing_details")? {
        context.claim(&subject, ClaimKind::Email, billing.text("email")?);
        context.claim(&subject, ClaimKind::Name, billing.text("name")?);
        context.claim(&subject, ClaimKind::Phone, billing.text("phone")?);
    }
    Ok(())
}
