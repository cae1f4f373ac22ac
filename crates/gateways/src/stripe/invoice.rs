//! Invoices and the payments made on them: relations, no money of their own. The intent or charge says what was paid.

use afluente_model::{ProviderId, WantKind, WantReason};

use super::{claim, context};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::IgnoredBecause;

pub(super) fn read(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.id("id")?;
    // A preview has no id, or one that begins like this.
    let upcoming = id.as_ref().is_some_and(|id| id.as_str().starts_with("upcoming_in"));
    if upcoming || draft.kind() == "invoice.upcoming" {
        draft.ignore(IgnoredBecause::NothingToSay);
        return Ok(());
    }
    let id = id.ok_or(Malformed::Id { field: "id" })?;
    let subject = draft.subject(SubjectKind::Invoice, &id);
    claim::status(draft, object, &subject, "status", "invoice.status");
    draft.claim(&subject, ClaimKind::Customer, object.id("customer"));
    claim::person(draft, object, &subject, ["customer_email", "customer_name", "customer_phone"]);
    claim::tax_ids(draft, object, "customer_tax_ids", &subject, ClaimKind::Document);
    let subscription = subscription(draft, object);
    draft.claim(&subject, ClaimKind::Subscription, Ok(subscription.as_ref()));
    // Since 2025-03-31 in a list that webhooks rarely carry, before on the invoice.
    let paid_by = PaidBy {
        intent: object.id("payment_intent")?,
        charge: object.id("charge")?,
        is_paid: matches!(object.text("status"), Ok(Some(PAID))),
    };
    relate(draft, &id, paid_by, subscription.as_ref());
    for payment in context::items(draft, object, "payments") {
        let paid_by = PaidBy::of(draft, payment);
        relate(draft, &id, paid_by, subscription.as_ref());
    }
    if draft.kind() == "invoice.deleted" {
        draft.claim(&subject, ClaimKind::Deleted, Ok(Some("true")));
    }
    Ok(())
}

/// The word of an invoice, and of a payment on one, that was paid.
const PAID: &str = "paid";

/// An intent, a charge, or both; a payment made outside Stripe has neither.
struct PaidBy {
    intent: Option<ProviderId>,
    charge: Option<ProviderId>,
    is_paid: bool,
}

impl PaidBy {
    /// What an invoice payment names.
    fn of(draft: &mut Draft, object: &Object<'_>) -> PaidBy {
        let is_paid = matches!(object.text("status"), Ok(Some(PAID)));
        let payment = draft.soft(object.object("payment"));
        let mut id = |key| payment.and_then(|payment| claim::id(draft, payment, key));
        PaidBy { intent: id("payment_intent"), charge: id("charge"), is_paid }
    }
}

/// An invoice is a payment's parent, never another name of it: told from both sides. That it was paid is said in passing: the
/// intent or the charge says what was taken.
fn relate(draft: &mut Draft, invoice: &ProviderId, paid_by: PaidBy, subscription: Option<&ProviderId>) {
    let kind = if paid_by.intent.is_some() { WantKind::PaymentIntent } else { WantKind::Charge };
    let Some(payment) = context::payment(draft, paid_by.intent, paid_by.charge) else { return };
    if paid_by.is_paid {
        draft.want(kind, &payment.id, WantReason::Unconfirmed);
    }
    let of_invoice = draft.subject(SubjectKind::Invoice, invoice);
    draft.claim(&of_invoice, ClaimKind::Payment, Ok(Some(&payment.id)));
    let of_payment = draft.subject(SubjectKind::Payment, &payment.id);
    draft.claim(&of_payment, ClaimKind::Invoice, Ok(Some(invoice)));
    draft.claim(&of_payment, ClaimKind::Subscription, Ok(subscription));
}

/// Since 2025-03-31 under `parent`, before on the invoice.
fn subscription(draft: &mut Draft, object: &Object<'_>) -> Option<ProviderId> {
    let parent = draft.soft(object.object("parent"));
    match parent.and_then(|parent| draft.soft(parent.object("subscription_details"))) {
        Some(details) => claim::id(draft, details, "subscription"),
        None => claim::id(draft, object, "subscription"),
    }
}

/// `invoice_payment.*`: the one place that always tells which payment belongs to which invoice.
pub(super) fn payment(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    object.required_id("id")?;
    let Some(invoice) = object.id("invoice")? else {
        draft.ignore(IgnoredBecause::NothingToSay);
        return Ok(());
    };
    claim::count_unknown(draft, "invoice_payment.status", object.text("status"));
    let paid_by = PaidBy::of(draft, object);
    relate(draft, &invoice, paid_by, None);
    Ok(())
}
