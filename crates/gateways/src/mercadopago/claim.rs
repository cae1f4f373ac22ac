//! Who is behind a payment or subscription. The payer is who paid, which need not be the customer.

use afluente_model::ProviderId;

use crate::claim::{ClaimKind, ClaimSubject, SubjectKind};
use crate::draft::Draft;
use crate::json::Object;

/// What a payment says of its payer, card and references.
pub(super) fn of_payment(draft: &mut Draft, object: &Object<'_>, id: &ProviderId) {
    let subject = draft.subject(SubjectKind::Payment, id);
    references(draft, object, &subject);
    // A Pix is a `bank_transfer` like others; which one, only the method's id says.
    let is_pix = draft.soft(object.text("payment_method_id")) == Some("pix");
    let kind = if is_pix { Ok(Some("pix")) } else { object.text("payment_type_id") };
    draft.claim(&subject, ClaimKind::MethodKind, kind);
    if let Some(payer) = draft.soft(object.object("payer")) {
        draft.claim(&subject, ClaimKind::Customer, payer.number_or_id("id"));
        person(draft, payer, &subject, ClaimKind::PayerDocument);
    }
    if let Some(card) = draft.soft(object.object("card")) {
        card_of(draft, card, object, &subject);
    }
    let point = draft.soft(object.object("point_of_interaction"));
    let data = point.and_then(|point| draft.soft(point.object("transaction_data")));
    if let Some(data) = data {
        draft.claim(&subject, ClaimKind::Subscription, data.number_or_id("subscription_id"));
    }
    if let Some(metadata) = draft.soft(object.object("metadata")) {
        draft.claim(&subject, ClaimKind::Subscription, metadata.number_or_id("preapproval_id"));
    }
    if let Some(order) = draft.soft(object.object("order")) {
        draft.claim(&subject, ClaimKind::Order, order.number_or_id("id"));
    }
}

/// The shop's own reference, a text or a number.
pub(super) fn references(draft: &mut Draft, object: &Object<'_>, subject: &ClaimSubject) {
    let reference = match draft.soft(object.text_or_number("external_reference")) {
        Some(reference) => Ok(Some(reference)),
        None => Ok(None),
    };
    draft.claim(subject, ClaimKind::Reference, reference);
}

/// A customer as the gateway keeps it.
pub(super) fn customer(draft: &mut Draft, object: &Object<'_>, id: &ProviderId) {
    let subject = draft.subject(SubjectKind::Customer, id);
    person(draft, object, &subject, ClaimKind::Document);
}

/// E-mail, name, document and phone. Documents of other countries are no Brazilian tax numbers and claim nothing.
fn person(draft: &mut Draft, person: &Object<'_>, subject: &ClaimSubject, document: ClaimKind) {
    draft.claim(subject, ClaimKind::Email, person.text("email"));
    let names = ["first_name", "last_name"].map(|key| draft.soft(person.text(key)).unwrap_or_default());
    draft.claim(subject, ClaimKind::Name, Ok(Some(names.join(" "))));
    if let Some(identification) = draft.soft(person.object("identification")) {
        let kind = draft.soft(identification.text("type")).unwrap_or_default();
        if matches!(kind, "CPF" | "CNPJ") {
            draft.claim(subject, document, identification.text_or_number("number"));
        }
    }
    if let Some(phone) = draft.soft(person.object("phone")) {
        let parts = ["area_code", "number"].map(|key| draft.soft(phone.text_or_number(key)).unwrap_or_default());
        draft.claim(subject, ClaimKind::Phone, Ok(Some(parts.concat())));
    }
}

/// What a card shows of itself. There is no fingerprint.
fn card_of(draft: &mut Draft, card: &Object<'_>, payment: &Object<'_>, subject: &ClaimSubject) {
    let last = draft.soft(card.text("last_four_digits"));
    if last.is_none() {
        return;
    }
    draft.claim(subject, ClaimKind::CardLast4, Ok(last));
    draft.claim(subject, ClaimKind::CardBrand, payment.text("payment_method_id"));
    draft.claim(subject, ClaimKind::Method, card.number_or_id("id"));
    let parts = ["expiration_year", "expiration_month"].map(|key| draft.soft(card.amount(key)));
    if let [Some(year), Some(month)] = parts {
        let expiry = format!("{:04}-{:02}", year.minor(), month.minor());
        draft.claim(subject, ClaimKind::CardExpiry, Ok(Some(expiry)));
    }
}
