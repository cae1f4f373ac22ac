//! What Stripe's objects claim about people, cards and the shop's own references, wherever it stands.

use afluente_model::ProviderId;

use super::context::items;
use crate::claim::{ClaimKind, ClaimSubject};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;

/// The merchant's own reference, under the names shops use.
pub(super) fn reference(draft: &mut Draft, object: &Object<'_>, subject: &ClaimSubject) {
    let Some(metadata) = draft.soft(object.object("metadata")) else { return };
    for key in ["order_id", "reference", "external_reference"] {
        draft.claim(subject, ClaimKind::Reference, metadata.text(key));
    }
}

/// Ids of other objects, each under the key it stands at.
pub(super) fn relations(
    draft: &mut Draft,
    object: &Object<'_>,
    subject: &ClaimSubject,
    keys: &[(ClaimKind, &'static str)],
) {
    for (kind, key) in keys {
        draft.claim(subject, *kind, object.id(key));
    }
}

/// E-mail, name and phone, under the keys they have in this object.
pub(super) fn person(draft: &mut Draft, object: &Object<'_>, subject: &ClaimSubject, keys: [&'static str; 3]) {
    let [email, name, phone] = keys;
    draft.claim(subject, ClaimKind::Email, object.text(email));
    draft.claim(subject, ClaimKind::Name, object.text(name));
    draft.claim(subject, ClaimKind::Phone, object.text(phone));
}

/// The keys of a person in most objects.
pub(super) const PERSON: [&str; 3] = ["email", "name", "phone"];

/// Brazilian tax numbers among all that are listed.
pub(super) fn tax_ids(
    draft: &mut Draft,
    object: &Object<'_>,
    key: &'static str,
    subject: &ClaimSubject,
    kind: ClaimKind,
) {
    for tax_id in items(draft, object, key) {
        if matches!(draft.soft(tax_id.text("type")), Some("br_cpf" | "br_cnpj")) {
            draft.claim(subject, kind, tax_id.text("value"));
        }
    }
}

/// What a card shows of itself.
pub(super) fn card(draft: &mut Draft, card: &Object<'_>, subject: &ClaimSubject) {
    draft.claim(subject, ClaimKind::CardBrand, card.text("brand"));
    draft.claim(subject, ClaimKind::CardLast4, card.text("last4"));
    draft.claim(subject, ClaimKind::Fingerprint, card.text("fingerprint"));
    let (month, year) = (draft.soft(card.amount("exp_month")), draft.soft(card.amount("exp_year")));
    if let (Some(month), Some(year)) = (month, year) {
        let expiry = format!("{year:04}-{month:02}", year = year.minor(), month = month.minor());
        draft.claim(subject, ClaimKind::CardExpiry, Ok(Some(expiry)));
    }
}

/// A word kept as a claim; one that is in no table of ours is counted.
pub(super) fn status(
    draft: &mut Draft,
    object: &Object<'_>,
    subject: &ClaimSubject,
    key: &'static str,
    field: &'static str,
) {
    let word = object.text(key);
    count_unknown(draft, field, word.clone());
    draft.claim(subject, ClaimKind::Status, word);
}

/// Counts a word that is in no table of ours.
pub(super) fn count_unknown(draft: &mut Draft, field: &'static str, word: Result<Option<&str>, Malformed>) {
    if let Some(word) = draft.soft(word).filter(|word| !super::words::is_known(field, word)) {
        draft.unknown(field, word);
    }
}

/// An id that only relates: a damaged one is noted.
pub(super) fn id(draft: &mut Draft, object: &Object<'_>, key: &'static str) -> Option<ProviderId> {
    draft.soft(object.id(key))
}
