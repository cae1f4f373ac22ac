//! Payment intents: the payment as Stripe's customers see it.

use afluente_model::{
    Amount, AttemptKind, AuthKind, CaptureKind, Currency, DetailKey, INTENT_OP, PaymentFact, PaymentKind, PaymentRef,
    ProviderId, Timestamp, TotalsKind, WantKind, WantReason,
};

use super::words::{self, FAILED, PAID, RAN_OUT, When};
use super::{charge, claim, context};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::{Json, Object};
use crate::text::{asked, noted};

/// What shows a payer how to pay, and where it says until when.
const SHOWN: &[(&str, &str)] = &[
    ("pix_display_qr_code", "expires_at"),
    ("boleto_display_details", "expires_at"),
    ("konbini_display_details", "expires_at"),
    ("multibanco_display_details", "expires_at"),
    ("oxxo_display_details", "expires_after"),
];

pub(super) fn read(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    // They name the operations: of two lists neither is believed.
    object.get("charges")?;
    let charges = context::items(draft, object, "charges");
    let intent = Intent::of(draft, object, charges.first().copied())?;
    match words::find(words::INTENT, intent.status, intent.when) {
        None => draft.unmapped(
            &intent.payment,
            "payment_intent.status",
            intent.status,
            (WantKind::PaymentIntent, &intent.id),
        ),
        Some(row) => {
            for kind in row.facts {
                assert(draft, &intent, *kind);
            }
        }
    }
    if let Some(reason) = intent.unknown_reason {
        draft.unknown("payment_intent.cancellation_reason", reason);
    }
    // Before 2022-11-15 an intent carried its charges, the newest first.
    for one in charges {
        if let Err(damage) = charge::read(draft, one, Some(&intent.payment)) {
            draft.note(damage);
            draft.want(WantKind::PaymentIntent, &intent.id, WantReason::Incomplete);
        }
    }
    claims(draft, object, &intent.payment);
    Ok(())
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
    /// `newest` is the charge that came inside it, if one did.
    fn of(draft: &mut Draft, object: &'a Object<'_>, newest: Option<&Object<'_>>) -> Result<Intent<'a>, Malformed> {
        let id = object.required_id("id")?;
        let (code, failed_charge) = last_error(draft, object)?;
        let latest_charge = match object.id("latest_charge")? {
            Some(charge) => Some(charge),
            None => newest.and_then(|charge| claim::id(draft, charge, "id")),
        };
        let latest_charge = latest_charge.or_else(|| failed_charge.clone());
        let payment = context::payment_of_intent(draft, &id, [latest_charge.as_ref(), failed_charge.as_ref()]);
        let status = object.text("status")?.unwrap_or_default();
        let reason = draft.unless_twice(object.text("cancellation_reason"))?.filter(|_| status == "canceled");
        let ending = reason.and_then(|reason| words::CANCELLATION.iter().find(|(word, _, _)| *word == reason));
        let amount = object.amount("amount")?;
        Ok(Intent {
            when: match (status, code) {
                ("canceled", _) => ending.map_or(When::Decision, |(_, when, _)| *when),
                (_, None) => When::NoError,
                (_, Some(RAN_OUT)) => When::RanOut,
                (_, Some(_)) => When::LastError,
            },
            received: object.amount("amount_received")?.or(amount.filter(|_| status == PAID)),
            capturable: object.amount("amount_capturable")?.filter(|held| *held > Amount::ZERO).or(amount),
            currency: object.currency("currency")?,
            code: code.unwrap_or_default(),
            closed: ending.map_or("", |(_, _, closed)| *closed),
            unknown_reason: reason.filter(|_| ending.is_none()),
            expires_at: expires_at(draft, object),
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

    fn fact(&self, draft: &Draft, kind: PaymentKind, op: &str, word: &str) -> PaymentFact {
        let fact = draft.fact(kind, op, word).money(None, self.currency);
        let detail = asked(fact.detail.clone(), self.amount);
        fact.detail(detail)
    }

    fn is_paid(&self) -> bool {
        self.received.is_some_and(|received| received > Amount::ZERO)
    }
}

fn assert(draft: &mut Draft, intent: &Intent<'_>, kind: PaymentKind) {
    match kind {
        PaymentKind::Totals(TotalsKind::Captured) if intent.is_paid() => {
            let fact = draft.fact(kind, "t", PAID).money(intent.received, intent.currency);
            draft.assert(&intent.payment, fact);
        }
        // Multicapture has taken nothing yet; a success without money is read back instead of believed.
        PaymentKind::Totals(_) if intent.status == PAID => {
            draft.want(WantKind::PaymentIntent, &intent.id, WantReason::Incomplete);
        }
        PaymentKind::Totals(_) => {}
        // Only where the charge is named: a capture under another name would be counted beside the charge's own.
        PaymentKind::Capture(CaptureKind::Succeeded) => {
            if let Some(charge) = intent.latest_charge.as_ref().filter(|_| intent.is_paid()) {
                let fact = intent.fact(draft, kind, charge.as_str(), PAID);
                draft.assert(&intent.payment, fact.money(intent.received, intent.currency));
            }
        }
        PaymentKind::Auth(AuthKind::Authorized) => {
            let fact = intent.fact(draft, kind, intent.hold(), intent.status);
            draft.assert(&intent.payment, fact.money(intent.capturable, intent.currency));
        }
        // Nothing is held any more. Saying so makes this outweigh the charge's word of the same second, which knows of
        // no reason.
        PaymentKind::Auth(AuthKind::Voided | AuthKind::Expired) => {
            let fact = draft.fact(kind, intent.hold(), intent.status).money(Some(Amount::ZERO), intent.currency);
            let detail = fact.detail.clone().with(DetailKey::Reason, intent.closed);
            draft.assert(&intent.payment, fact.detail(detail));
        }
        PaymentKind::Attempt(AttemptKind::Declined | AttemptKind::Expired) if intent.status != "canceled" => {
            failed_try(draft, intent, kind);
        }
        PaymentKind::Attempt(_) => {
            let fact = intent.fact(draft, kind, INTENT_OP, intent.status);
            let detail = fact.detail.clone().with(DetailKey::Reason, intent.closed);
            draft.assert(&intent.payment, fact.detail(detail.with_time(DetailKey::ExpiresAt, intent.expires_at)));
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
fn failed_try(draft: &mut Draft, intent: &Intent<'_>, kind: PaymentKind) {
    if let Some(charge) = &intent.failed_charge {
        let fact = intent.fact(draft, kind, charge.as_str(), FAILED);
        let detail = noted(fact.detail.clone(), DetailKey::Code, intent.code);
        draft.assert(&intent.payment, fact.detail(detail));
    }
    let fact = intent.fact(draft, kind, INTENT_OP, intent.status);
    let detail = noted(fact.detail.clone(), DetailKey::Code, intent.code);
    draft.assert(&intent.payment, fact.detail(detail));
}

/// The code of the newest failure, and its charge. The code is the one a charge has as `failure_code` too; some bank
/// debits leave it empty and name a decline code only. Whatever stands there, a failure is what it says.
fn last_error<'a>(
    draft: &mut Draft,
    object: &'a Object<'_>,
) -> Result<(Option<&'a str>, Option<ProviderId>), Malformed> {
    let error = match object.get("last_payment_error")? {
        None => return Ok((None, None)),
        Some(Json::Object(error)) => error,
        Some(_) => {
            draft.note(Malformed::Shape { field: "last_payment_error", expected: "an object" });
            return Ok((Some(""), None));
        }
    };
    let code = draft.soft(error.text("code")).filter(|code| !code.is_empty());
    let code = code.or_else(|| draft.soft(error.text("decline_code"))).unwrap_or_default();
    Ok((Some(code), claim::id(draft, error, "charge")))
}

/// Until when the payer may act on a Pix code, a boleto or another voucher.
fn expires_at(draft: &mut Draft, object: &Object<'_>) -> Option<Timestamp> {
    let action = draft.soft(object.object("next_action"))?;
    let found = SHOWN.iter().find_map(|(shown, key)| Some((draft.soft(action.object(shown))?, *key)));
    found.and_then(|(shown, key)| draft.soft(shown.seconds(key)))
}

fn claims(draft: &mut Draft, object: &Object<'_>, payment: &PaymentRef) {
    let subject = draft.subject(SubjectKind::Payment, &payment.id);
    claim::relations(draft, object, &subject, words::RELATIONS);
    draft.claim(&subject, ClaimKind::Email, object.text("receipt_email"));
    claim::reference(draft, object, &subject);
}
