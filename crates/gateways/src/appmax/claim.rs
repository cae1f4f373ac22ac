//! Who is behind an order that was read back. No id of a card is ever told.

use afluente_model::ProviderId;

use crate::claim::{ClaimKind, ClaimSubject, SubjectKind};
use crate::draft::Draft;
use crate::json::Object;

/// What the API of apps says.
pub(super) fn v1(draft: &mut Draft, data: &Object<'_>, id: &ProviderId) {
    let subject = draft.subject(SubjectKind::Payment, id);
    if let Some(customer) = draft.soft(data.object("customer")) {
        draft.claim(&subject, ClaimKind::Customer, customer.number_or_id("id"));
        draft.claim(&subject, ClaimKind::Name, customer.text("name"));
        person(draft, customer, &subject);
    }
    let Some(payment) = draft.soft(data.object("payment")) else { return };
    draft.claim(&subject, ClaimKind::MethodKind, payment.text("method"));
    if let Some(card) = draft.soft(payment.object("card")) {
        draft.claim(&subject, ClaimKind::CardBrand, card.text("brand"));
        let number = draft.soft(card.text("number")).unwrap_or_default();
        let last = number.get(number.len().saturating_sub(4)..).filter(|last| last.bytes().all(|b| b.is_ascii_digit()));
        draft.claim(&subject, ClaimKind::CardLast4, Ok(last));
    }
}

/// What the panel's API says.
pub(super) fn v3(draft: &mut Draft, data: &Object<'_>, id: &ProviderId) {
    let subject = draft.subject(SubjectKind::Payment, id);
    draft.claim(&subject, ClaimKind::Customer, data.number_or_id("customer_id"));
    draft.claim(&subject, ClaimKind::MethodKind, data.text("payment_type"));
    draft.claim(&subject, ClaimKind::CardBrand, data.text("card_brand"));
    let reference = draft.soft(data.text_or_number("invoice_id"));
    draft.claim(&subject, ClaimKind::Reference, Ok(reference));
    if let Some(customer) = draft.soft(data.object("customer")) {
        draft.claim(&subject, ClaimKind::Name, customer.text("fullname"));
        draft.claim(&subject, ClaimKind::Phone, customer.text("telephone"));
        person(draft, customer, &subject);
    }
}

fn person(draft: &mut Draft, person: &Object<'_>, subject: &ClaimSubject) {
    draft.claim(subject, ClaimKind::Email, person.text("email"));
    let document = draft.soft(person.text_or_number("document_number"));
    draft.claim(subject, ClaimKind::Document, Ok(document));
}
