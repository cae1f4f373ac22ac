//! A consent to one payment, which is a checkout session and never a payment, and a bound device, which is a payment method.

use afluente_model::ProviderId;

use super::{answer, words};
use crate::claim::{ClaimKind, ClaimSubject, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;

pub(super) fn read(draft: &mut Draft, data: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    answer::is_it(data, "consentId", id)?;
    let status = data.text("status")?.unwrap_or_default();
    let reason = draft.unless_twice(data.object("rejectionReason"))?;
    let code = reason.and_then(|reason| draft.soft(reason.text("code"))).unwrap_or_default();
    let session = words::CONSENT.iter().find(|(word, _)| *word == status).map(|(_, session)| *session);
    let session = match session {
        Some("canceled") if words::RAN_OUT_CODES.contains(&code) => Some("expired"),
        other => other,
    };
    if session.is_none() {
        draft.unknown("consent.status", status);
    }
    let subject = draft.subject(SubjectKind::Checkout, id);
    draft.claim(&subject, ClaimKind::Status, Ok(session));
    people(draft, data, &subject);
    account(draft, data, &subject);
    Ok(())
}

/// A device that payments can be made with, without going to the bank.
pub(super) fn enrollment(draft: &mut Draft, data: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    answer::is_it(data, "enrollmentId", id)?;
    let status = data.text("status")?.unwrap_or_default();
    let known = words::ENROLLMENT.iter().find(|(word, _)| *word == status).map(|(_, usable)| *usable);
    if known.is_none() {
        draft.unknown("enrollment.status", status);
    }
    let subject = draft.subject(SubjectKind::Method, id);
    let attached = known.flatten().map(|usable| if usable { "true" } else { "false" });
    draft.claim(&subject, ClaimKind::Attached, Ok(attached));
    draft.claim(&subject, ClaimKind::MethodKind, Ok(Some("open_finance")));
    people(draft, data, &subject);
    account(draft, data, &subject);
    Ok(())
}

/// Who agreed: a company where somebody acts for one, and then the person as who pays.
pub(super) fn people(draft: &mut Draft, data: &Object<'_>, subject: &ClaimSubject) {
    let person = document(draft, data, "loggedUser");
    let company = document(draft, data, "businessEntity");
    let (customer, payer) = match company {
        Some(company) => (Some(company), person),
        None => (person, None),
    };
    draft.claim(subject, ClaimKind::Document, Ok(customer));
    draft.claim(subject, ClaimKind::PayerDocument, Ok(payer));
}

fn document(draft: &mut Draft, data: &Object<'_>, key: &'static str) -> Option<String> {
    let who = draft.soft(data.object(key))?;
    identification(draft, who)
}

/// The number of a document object.
pub(super) fn identification(draft: &mut Draft, who: &Object<'_>) -> Option<String> {
    let document = draft.soft(who.object("document"))?;
    draft.soft(document.text("identification")).map(str::to_owned)
}

fn account(draft: &mut Draft, data: &Object<'_>, subject: &ClaimSubject) {
    let account = draft.soft(data.object("debtorAccount")).and_then(|account| answer::fingerprint(draft, account));
    draft.claim(subject, ClaimKind::Fingerprint, Ok(account));
}
