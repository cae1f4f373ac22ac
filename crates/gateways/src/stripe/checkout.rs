//! Checkout sessions: what links a payment, a subscription and the shop's own reference.

use afluente_model::{WantKind, WantReason};

use super::{claim, context};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;

/// The intent says what was taken; a session in passing, and an expired one nothing at all.
const SESSION_PAID: &str = "paid";

/// What a session and the payment of a session both belong to.
const RELATIONS: &[(ClaimKind, &str)] =
    &[(ClaimKind::Customer, "customer"), (ClaimKind::Subscription, "subscription"), (ClaimKind::Invoice, "invoice")];

pub(super) fn read(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    let session = draft.subject(SubjectKind::Checkout, &object.required_id("id")?);
    claim::status(draft, object, &session, "status", "checkout.session.status");
    // Known to be said, never claimed: a second word of one session would contradict the first.
    let paid = object.text("payment_status");
    claim::count_unknown(draft, "checkout.session.payment_status", paid.clone());
    let payment = context::payment(draft, object.id("payment_intent")?, None);
    if let (Ok(Some(SESSION_PAID)), Some(payment)) = (paid, &payment) {
        draft.want(WantKind::PaymentIntent, &payment.id, WantReason::Unconfirmed);
    }
    draft.claim(&session, ClaimKind::Payment, Ok(payment.as_ref().map(|payment| &payment.id)));
    let payment = payment.map(|payment| draft.subject(SubjectKind::Payment, &payment.id));
    for subject in [Some(&session), payment.as_ref()].into_iter().flatten() {
        claim::relations(draft, object, subject, RELATIONS);
        draft.claim(subject, ClaimKind::Reference, object.text("client_reference_id"));
    }
    claim::reference(draft, object, &session);
    if let Some(payer) = draft.soft(object.object("customer_details")) {
        claim::person(draft, payer, &session, claim::PERSON);
        claim::tax_ids(draft, payer, "tax_ids", &session, ClaimKind::PayerDocument);
    }
    Ok(())
}
