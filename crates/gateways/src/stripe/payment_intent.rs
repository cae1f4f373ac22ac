//! Payment intents: the payment as Stripe's customers see it.

use afluente_model::{
    Amount, AttemptKind, AuthKind, CaptureKind, Currency, DetailKey, INTENT_OP, PaymentFact, PaymentKind, PaymentRef,
    ProviderId, Timestamp, TotalsKind,
};

use super::charge;
use super::event::{Context, asked, noted};
use super::words::{self, When};
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject, WantReason};

/// The error code of a voucher or Pix code that nobody paid in time.
pub(super) const RAN_OUT: &str = "payment_intent_payment_attempt_expired";

/// What shows a payer how to pay, and where it says until when.
const SHOWN: &[(&str, &str)] = &[
    ("pix_display_qr_code", "expires_at"),
    ("boleto_display_details", "expires_at"),
    ("konbini_display_details", "expires_at"),
    ("multibanco_display_details", "expires_at"),
    ("oxxo_display_details", "expires_after"),
];

pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let intent = Intent::of(context, object)?;
    match words::find(words::INTENT, intent.status, intent.when) {
        None => {
            context.unmapped(&intent.payment, "payment_intent.status", intent.status, ("payment_intent", &intent.id));
        }
        Some(row) => {
            for kind in row.facts {
                assert(context, &intent, *kind);
            }
        }
    }
    if let Some(reason) = intent.unknown_reason {
        context.unknown("payment_intent.cancellation_reason", reason);
    }
    embedded_charges(context, object, &intent.payment)?;
    claims(context, object, intent.payment)
}

/// What an intent says of itself.
struct Intent<'a> {
    id: ProviderId,
    payment: PaymentRef,
    status: &'a str,
    when: When,
    amount: Option<Amount>,
    received: Option<Amount>,
    capturable: Option<Amount>,
    currency: Option<Currency>,
    latest_charge: Option<ProviderId>,
    failed_charge: Option<ProviderId>,
    code: &'a str,
    closed: &'static str,
    unknown_reason: Option<&'a str>,
    expires_at: Option<Timestamp>,
}

impl<'a> Intent<'a> {
    fn of(context: &mut Context, object: &'a Object<'_>) -> Result<Intent<'a>, Malformed> {
        let id = object.required_id("id")?;
        let error = object.object("last_payment_error")?;
        let failed_charge = error.map(|error| error.id("charge")).transpose()?.flatten();
        let latest_charge = match object.id("latest_charge")? {
            Some(charge) => Some(charge),
            None => embedded(object)?.next().map(|charge| charge.id("id")).transpose()?.flatten(),
        };
        let latest_charge = latest_charge.or_else(|| failed_charge.clone());
        let payment = context.payment_of_intent(&id, [latest_charge.as_ref(), failed_charge.as_ref()]);
        let status = object.text("status")?.unwrap_or_default();
        let reason = object.text("cancellation_reason")?.filter(|_| status == "canceled");
        let ending = reason.and_then(|reason| words::CANCELLATION.iter().find(|(word, _, _)| *word == reason));
        let code = error.map(failure_code).transpose()?;
        let amount = object.amount("amount")?;
        Ok(Intent {
            when: match (status, code) {
                ("canceled", _) => ending.map_or(When::Decision, |(_, when, _)| *when),
                (_, None) => When::NoError,
                (_, Some(RAN_OUT)) => When::RanOut,
                (_, Some(_)) => When::LastError,
            },
            received: object.amount("amount_received")?.or(amount.filter(|_| status == "succeeded")),
            capturable: object.amount("amount_capturable")?.filter(|held| *held > Amount::ZERO).or(amount),
            currency: object.currency("currency")?,
            code: code.unwrap_or_default(),
            closed: ending.map_or("", |(_, _, closed)| *closed),
            unknown_reason: reason.filter(|_| ending.is_none()),
            expires_at: expires_at(object)?,
            id,
            payment,
            status,
            amount,
            latest_charge,
            failed_charge,
        })
    }

    /// The operation of the hold: the charge, wherever it is named.
    fn hold(&self) -> &str {
        self.latest_charge.as_ref().map_or(INTENT_OP, ProviderId::as_str)
    }

    fn fact(&self, context: &Context, kind: PaymentKind, op: &str, word: &str) -> PaymentFact {
        let fact = context.fact(kind, op, word).money(None, self.currency);
        let detail = asked(fact.detail.clone(), self.amount);
        fact.detail(detail)
    }

    fn is_paid(&self) -> bool {
        self.received.is_some_and(|received| received > Amount::ZERO)
    }
}

fn assert(context: &mut Context, intent: &Intent<'_>, kind: PaymentKind) {
    match kind {
        PaymentKind::Totals(TotalsKind::Captured) if intent.is_paid() => {
            let fact = context.fact(kind, "t", charge::TAKEN).money(intent.received, intent.currency);
            context.assert(&intent.payment, fact);
        }
        // Multicapture has taken nothing yet; a success without money is read back instead of believed.
        PaymentKind::Totals(_) if intent.status == "succeeded" => {
            context.want("payment_intent", &intent.id, WantReason::Incomplete);
        }
        PaymentKind::Totals(_) => {}
        // Only where the charge is named: a capture under another name would be counted beside the charge's own.
        PaymentKind::Capture(CaptureKind::Succeeded) => {
            if let Some(charge) = intent.latest_charge.as_ref().filter(|_| intent.is_paid()) {
                let fact = intent.fact(context, kind, charge.as_str(), charge::TAKEN);
                context.assert(&intent.payment, fact.money(intent.received, intent.currency));
            }
        }
        PaymentKind::Auth(AuthKind::Authorized) => {
            let fact = intent.fact(context, kind, intent.hold(), intent.status);
            context.assert(&intent.payment, fact.money(intent.capturable, intent.currency));
        }
        // Nothing is held any more. Saying so makes this outweigh the charge's word of the same second, which knows of
        // no reason.
        PaymentKind::Auth(AuthKind::Voided | AuthKind::Expired) => {
            let fact = context.fact(kind, intent.hold(), intent.status).money(Some(Amount::ZERO), intent.currency);
            let detail = fact.detail.clone().with(DetailKey::Reason, intent.closed);
            context.assert(&intent.payment, fact.detail(detail));
        }
        PaymentKind::Attempt(AttemptKind::Declined | AttemptKind::Expired) if intent.status != "canceled" => {
            failed_try(context, intent, kind);
        }
        PaymentKind::Attempt(_) => {
            let fact = intent.fact(context, kind, INTENT_OP, intent.status);
            let detail = fact.detail.clone().with(DetailKey::Reason, intent.closed);
            context.assert(&intent.payment, fact.detail(detail.with_time(DetailKey::ExpiresAt, intent.expires_at)));
        }
        PaymentKind::Capture(CaptureKind::Pending | CaptureKind::Failed)
        | PaymentKind::Refund(_)
        | PaymentKind::Dispute(_)
        | PaymentKind::Risk(_)
        | PaymentKind::Unmapped
        | PaymentKind::Strike => {}
    }
}

/// The try failed, and with it what was known of the intent: an intent that was created in the very second of its
/// failure would otherwise still look open. The charge's fact is word for word the one its own event makes.
fn failed_try(context: &mut Context, intent: &Intent<'_>, kind: PaymentKind) {
    if let Some(charge) = &intent.failed_charge {
        let fact = intent.fact(context, kind, charge.as_str(), charge::FAILED);
        let detail = noted(fact.detail.clone(), DetailKey::Code, intent.code);
        context.assert(&intent.payment, fact.detail(detail));
    }
    let fact = intent.fact(context, kind, INTENT_OP, intent.status);
    let detail = noted(fact.detail.clone(), DetailKey::Code, intent.code);
    context.assert(&intent.payment, fact.detail(detail));
}

/// The code a charge has as `failure_code` too. Some bank debits leave it empty and name a decline code only.
fn failure_code<'a>(error: &'a Object<'_>) -> Result<&'a str, Malformed> {
    let code = error.text("code")?.filter(|code| !code.is_empty());
    Ok(match code {
        Some(code) => code,
        None => error.text("decline_code")?.unwrap_or_default(),
    })
}

/// Until when the payer may act on a Pix code, a boleto or another voucher.
fn expires_at(object: &Object<'_>) -> Result<Option<Timestamp>, Malformed> {
    let Some(action) = object.object("next_action")? else { return Ok(None) };
    for (shown, key) in SHOWN {
        if let Some(shown) = action.object(shown)? {
            return shown.seconds(key);
        }
    }
    Ok(None)
}

/// Before 2022-11-15 an intent carried its charges, the newest first.
fn embedded<'a, 'b>(object: &'a Object<'b>) -> Result<impl Iterator<Item = &'a Object<'b>>, Malformed> {
    Ok(object.object("charges")?.map(|charges| charges.objects("data")).transpose()?.into_iter().flatten())
}

fn embedded_charges(context: &mut Context, object: &Object<'_>, payment: &PaymentRef) -> Result<(), Malformed> {
    for charge in embedded(object)? {
        charge::read(context, charge, Some(payment))?;
    }
    Ok(())
}

fn claims(context: &mut Context, object: &Object<'_>, payment: PaymentRef) -> Result<(), Malformed> {
    let subject = ClaimSubject::Payment(payment);
    context.claim(&subject, ClaimKind::Customer, object.id("customer")?.as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Email, object.text("receipt_email")?);
    context.claim(&subject, ClaimKind::Method, object.id("payment_method")?.as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Invoice, object.id("invoice")?.as_ref().map(ProviderId::as_str));
    reference(context, object, &subject)
}

/// The merchant's own reference, under the names shops use.
pub(super) fn reference(context: &mut Context, object: &Object<'_>, subject: &ClaimSubject) -> Result<(), Malformed> {
    let Some(metadata) = object.object("metadata")? else { return Ok(()) };
    for key in ["order_id", "reference", "external_reference"] {
        context.claim(subject, ClaimKind::Reference, metadata.text(key)?);
    }
    Ok(())
}
