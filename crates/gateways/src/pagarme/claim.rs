//! Who is behind a charge, a subscription or a stored card. Names, codes and e-mails are claims; only the document joins people.

use afluente_model::ProviderId;

use crate::claim::{ClaimKind, ClaimSubject, SubjectKind};
use crate::draft::Draft;
use crate::json::Object;

/// What a charge says of its customer, method and relations.
pub(super) fn of_charge(draft: &mut Draft, object: &Object<'_>, id: &ProviderId, order: Option<&Object<'_>>) {
    let subject = draft.subject(SubjectKind::Payment, id);
    let own = draft.soft(object.object("order"));
    if let Some(order) = own.or(order) {
        draft.claim(&subject, ClaimKind::Order, order.id("id"));
        references(draft, order, &subject);
    }
    references(draft, object, &subject);
    let customer = draft.soft(object.object("customer"));
    if let Some(customer) = customer.or_else(|| order.and_then(|order| draft.soft(order.object("customer")))) {
        draft.claim(&subject, ClaimKind::Customer, customer.id("id"));
        person(draft, customer, &subject);
    }
    if let Some(invoice) = draft.soft(object.object("invoice")) {
        draft.claim(&subject, ClaimKind::Invoice, invoice.id("id"));
        let subscription = subscription_of(draft, invoice);
        draft.claim(&subject, ClaimKind::Subscription, Ok(subscription));
    }
    method(draft, object, &subject);
}

/// The subscription of an invoice: real bodies have three names for it.
pub(super) fn subscription_of(draft: &mut Draft, invoice: &Object<'_>) -> Option<ProviderId> {
    ["subscriptionId", "subscription_id", "subscription"].into_iter().find_map(|key| draft.soft(invoice.id(key)))
}

/// The shop's own reference. An order and its charge may have different ones.
pub(super) fn references(draft: &mut Draft, object: &Object<'_>, subject: &ClaimSubject) {
    draft.claim(subject, ClaimKind::Reference, object.text("code"));
    let Some(metadata) = draft.soft(object.object("metadata")) else { return };
    for key in ["order_id", "reference", "external_reference"] {
        let reference = draft.soft(metadata.text_or_number(key));
        draft.claim(subject, ClaimKind::Reference, Ok(reference));
    }
}

/// A customer of the gateway.
pub(super) fn customer(draft: &mut Draft, object: &Object<'_>, id: &ProviderId) {
    let subject = draft.subject(SubjectKind::Customer, id);
    person(draft, object, &subject);
    draft.claim(&subject, ClaimKind::Reference, object.text("code"));
}

pub(super) fn person(draft: &mut Draft, person: &Object<'_>, subject: &ClaimSubject) {
    draft.claim(subject, ClaimKind::Name, person.text("name"));
    draft.claim(subject, ClaimKind::Email, person.text("email"));
    draft.claim(subject, ClaimKind::Document, person.text("document"));
    let Some(phones) = draft.soft(person.object("phones")) else { return };
    for key in ["mobile_phone", "home_phone"] {
        let Some(phone) = draft.soft(phones.object(key)) else { continue };
        let parts = ["country_code", "area_code", "number"];
        let parts = parts.map(|key| draft.soft(phone.text_or_number(key)).unwrap_or_default());
        draft.claim(subject, ClaimKind::Phone, Ok(Some(parts.concat())));
    }
}

/// How it was paid. The charge of a checkout only says so in its transaction. A Pix may be paid by somebody else.
fn method(draft: &mut Draft, object: &Object<'_>, subject: &ClaimSubject) {
    let transaction = draft.soft(object.object("last_transaction"));
    let of_charge = draft.soft(object.text("payment_method")).filter(|method| *method != "checkout");
    let kind = of_charge.or_else(|| transaction.and_then(|one| draft.soft(one.text("transaction_type"))));
    draft.claim(subject, ClaimKind::MethodKind, Ok(kind));
    let Some(transaction) = transaction else { return };
    if let Some(one) = draft.soft(transaction.object("card")) {
        draft.claim(subject, ClaimKind::Method, one.id("id"));
        card(draft, one, subject);
    }
    if let Some(payer) = draft.soft(transaction.object("payer")) {
        draft.claim(subject, ClaimKind::PayerDocument, payer.text("document"));
    }
}

/// What a card shows of itself. There is no fingerprint.
pub(super) fn card(draft: &mut Draft, card: &Object<'_>, subject: &ClaimSubject) {
    draft.claim(subject, ClaimKind::CardLast4, card.text("last_four_digits"));
    draft.claim(subject, ClaimKind::CardBrand, card.text("brand"));
    let parts = ["exp_year", "exp_month"].map(|key| draft.soft(card.amount(key)));
    if let [Some(year), Some(month)] = parts {
        let expiry = format!("{:04}-{:02}", year.minor(), month.minor());
        draft.claim(subject, ClaimKind::CardExpiry, Ok(Some(expiry)));
    }
}

/// A stored card, with whose it is and whether it still may be used.
pub(super) fn stored_card(draft: &mut Draft, object: &Object<'_>, id: &ProviderId) {
    let subject = draft.subject(SubjectKind::Method, id);
    card(draft, object, &subject);
    draft.claim(&subject, ClaimKind::MethodKind, Ok(Some("credit_card")));
    if let Some(customer) = draft.soft(object.object("customer")) {
        draft.claim(&subject, ClaimKind::Customer, customer.id("id"));
    }
    let attached = !matches!(draft.kind(), "card.deleted" | "card.expired");
    draft.claim(&subject, ClaimKind::Attached, Ok(Some(if attached { "true" } else { "false" })));
}
