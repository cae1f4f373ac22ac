//! Charges: one try to take money, and what became of it.

use afluente_model::{
    Amount, AttemptKind, AuthKind, Currency, DetailKey, PaymentFact, PaymentKind, PaymentRef, ProviderId, RiskKind,
    Timestamp, TotalsKind,
};

use super::event::{Context, asked, noted};
use super::payment_intent::{RAN_OUT, reference};
use super::refund;
use super::words::{self, When};
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject, WantReason};

/// The status of a charge that took money, and of one that did not.
pub(super) const TAKEN: &str = "succeeded";
pub(super) const FAILED: &str = "failed";

/// A charge of its own event, or one that came inside its intent.
pub(super) fn read(context: &mut Context, object: &Object<'_>, inside: Option<&PaymentRef>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let intent = match inside {
        Some(payment) => Some(payment.id.clone()),
        None => object.id("payment_intent")?,
    };
    let named = intent.is_some();
    let Some(payment) = context.payment(intent, Some(id.clone())) else { return Ok(()) };
    let charge = Charge::of(context, object, id, named)?;
    match words::find(words::CHARGE, charge.status, charge.when) {
        None => context.unmapped(&payment, "charge.status", charge.status, ("charge", &charge.id)),
        Some(row) => {
            for kind in row.facts {
                if let Some(fact) = charge.fact(context, *kind) {
                    context.assert(&payment, fact);
                }
            }
        }
    }
    verdict(context, object, &charge, &payment)?;
    if charge.hides_money() {
        context.want("charge", &charge.id, WantReason::Incomplete);
    }
    // What Stripe calls the refund of a hold gave no money back.
    if charge.when == When::Captured
        && let Some(refunds) = object.object("refunds")?
    {
        for one in refunds.objects("data")? {
            refund::read(context, one, Some(&payment))?;
        }
    }
    claims(context, object, payment)
}

/// What a charge says of itself.
struct Charge<'a> {
    id: ProviderId,
    status: &'a str,
    when: When,
    asked: Option<Amount>,
    captured: Option<Amount>,
    returned: Option<Amount>,
    currency: Option<Currency>,
    code: &'a str,
    /// Whether an intent is named: the word of a hold is then the intent's.
    of_intent: bool,
    created: Option<Timestamp>,
    /// Whether this event reports that the try ended, or that the hold did, and does not only mention it.
    tells_end: bool,
}

impl<'a> Charge<'a> {
    fn of(context: &Context, object: &'a Object<'_>, id: ProviderId, of_intent: bool) -> Result<Charge<'a>, Malformed> {
        let asked = object.amount("amount")?;
        let flag = object.bool("captured")?;
        // Old versions say only *that* it was captured. Neither said is no statement, and money is never guessed.
        let captured = match object.amount("amount_captured")? {
            Some(captured) => Some(captured),
            None if flag == Some(true) => asked,
            None => flag.map(|_| Amount::ZERO),
        };
        let returned = object.amount("amount_refunded")?;
        let status = object.text("status")?.unwrap_or_default();
        let code = object.text("failure_code")?.unwrap_or_default();
        let gone = object.bool("refunded")? == Some(true) || (asked > Some(Amount::ZERO) && returned >= asked);
        let expired = &*context.kind == "charge.expired";
        let when = match (status, captured) {
            (FAILED, _) if expired || code == RAN_OUT => When::RanOut,
            (FAILED, _) => When::LastError,
            (TAKEN, Some(captured)) if captured > Amount::ZERO => When::Captured,
            (TAKEN, None) => When::Unclear,
            (TAKEN, Some(_)) if flag == Some(true) => When::Unclear,
            (TAKEN, Some(_)) if expired => When::Deadline,
            (TAKEN, Some(_)) if gone => When::Released,
            (TAKEN, Some(_)) => When::Held,
            _ if expired => When::RanOut,
            _ => When::Always,
        };
        Ok(Charge {
            currency: object.currency("currency")?,
            created: object.seconds("created")?,
            tells_end: matches!(&*context.kind, "charge.failed" | "charge.expired" | "charge.refunded"),
            id,
            status,
            when,
            asked,
            captured,
            returned,
            code,
            of_intent,
        })
    }

    /// Whether its amounts leave open what was taken or what went back: after a partial capture `amount_refunded` may
    /// hold the released rest beside the refunds.
    fn hides_money(&self) -> bool {
        let mixed = self.asked != self.captured && self.returned.is_some_and(|returned| returned > Amount::ZERO);
        self.when == When::Unclear || (self.when == When::Captured && mixed)
    }

    /// When the try failed or the hold ended. Later events only mention it; told as their news it would end a newer try.
    fn ended_at(&self, context: &Context) -> Option<Timestamp> {
        if self.tells_end { context.at } else { self.created.or(context.at) }
    }

    fn fact(&self, context: &Context, kind: PaymentKind) -> Option<PaymentFact> {
        let fact = |word: &str| context.fact(kind, self.id.as_str(), word).money(None, self.currency);
        let with_asked = |word: &str| {
            let fact = fact(word);
            let detail = asked(fact.detail.clone(), self.asked);
            fact.detail(detail)
        };
        Some(match kind {
            PaymentKind::Totals(TotalsKind::Captured) => {
                context.fact(kind, "t", self.status).money(self.captured, self.currency)
            }
            PaymentKind::Totals(TotalsKind::Refunded) => {
                let returned = self.returned.filter(|_| self.asked == self.captured)?;
                context.fact(kind, "t", self.status).money(Some(returned), self.currency)
            }
            PaymentKind::Capture(_) => with_asked(self.status).money(self.captured, self.currency),
            PaymentKind::Auth(AuthKind::Authorized) => self.hold(with_asked(self.hold_word())),
            PaymentKind::Auth(_) => PaymentFact { at: self.ended_at(context), ..fact(self.end_word()) },
            PaymentKind::Attempt(AttemptKind::Declined) => self.failure(context, with_asked(self.status)),
            PaymentKind::Attempt(AttemptKind::Expired) if self.status != TAKEN => {
                self.failure(context, with_asked(FAILED))
            }
            PaymentKind::Attempt(AttemptKind::Expired | AttemptKind::Canceled) => {
                PaymentFact { at: self.ended_at(context), ..fact(self.end_word()) }
            }
            PaymentKind::Attempt(_) => with_asked(self.status),
            PaymentKind::Refund(_)
            | PaymentKind::Dispute(_)
            | PaymentKind::Risk(_)
            | PaymentKind::Unmapped
            | PaymentKind::Strike => return None,
        })
    }

    /// A hold. One that has ended proves that it once stood: since the charge was made.
    fn hold(&self, fact: PaymentFact) -> PaymentFact {
        match self.when {
            When::Held => {
                let released = self.returned.unwrap_or_default().wide();
                let held = self.asked.map(|asked| Amount::clamped(asked.wide() - released));
                fact.money(held, self.currency)
            }
            _ => PaymentFact { at: self.created, ..fact }.money(self.asked, self.currency),
        }
    }

    fn failure(&self, context: &Context, fact: PaymentFact) -> PaymentFact {
        let detail = noted(fact.detail.clone(), DetailKey::Code, self.code);
        PaymentFact { at: self.ended_at(context), ..fact }.detail(detail)
    }

    /// The intent's word, where there is one: both events of one second then say the same. The charge's own would call
    /// held money succeeded.
    fn hold_word(&self) -> &'static str {
        if self.of_intent { "requires_capture" } else { TAKEN }
    }

    fn end_word(&self) -> &'static str {
        if self.when == When::Deadline { "expired" } else { "refunded" }
    }
}

/// What Radar thought of it. Only a block is a verdict of its own; reviews are objects that tell their own story.
fn verdict(
    context: &mut Context,
    object: &Object<'_>,
    charge: &Charge<'_>,
    payment: &PaymentRef,
) -> Result<(), Malformed> {
    let outcome = object.object("outcome")?;
    let word = outcome.map(|outcome| outcome.text("type")).transpose()?.flatten().unwrap_or_default();
    for kind in words::find(words::OUTCOME, word, When::Always).map_or(&[][..], |row| row.facts) {
        let fact = context.fact(*kind, charge.id.as_str(), word);
        let rejected = *kind == PaymentKind::Risk(RiskKind::Rejected);
        let at = if rejected { charge.ended_at(context) } else { context.at };
        context.assert(payment, PaymentFact { at, ..fact });
    }
    Ok(())
}

fn claims(context: &mut Context, object: &Object<'_>, payment: PaymentRef) -> Result<(), Malformed> {
    let subject = ClaimSubject::Payment(payment);
    context.claim(&subject, ClaimKind::Customer, object.id("customer")?.as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Method, object.id("payment_method")?.as_ref().map(ProviderId::as_str));
    context.claim(&subject, ClaimKind::Invoice, object.id("invoice")?.as_ref().map(ProviderId::as_str));
    if let Some(billing) = object.object("billing_details")? {
        context.claim(&subject, ClaimKind::Email, billing.text("email")?);
        context.claim(&subject, ClaimKind::Name, billing.text("name")?);
        context.claim(&subject, ClaimKind::Phone, billing.text("phone")?);
        context.claim(&subject, ClaimKind::PayerDocument, billing.text("tax_id")?);
    }
    if let Some(details) = object.object("payment_method_details")? {
        context.claim(&subject, ClaimKind::MethodKind, details.text("type")?);
        if let Some(boleto) = details.object("boleto")? {
            context.claim(&subject, ClaimKind::PayerDocument, boleto.text("tax_id")?);
        }
        if let Some(pix) = details.object("pix")? {
            context.claim(&subject, ClaimKind::Fingerprint, pix.text("fingerprint")?);
        }
        if let Some(card) = details.object("card")? {
            card_claims(context, card, &subject)?;
        }
    }
    reference(context, object, &subject)
}

/// What a card shows of itself.
pub(super) fn card_claims(context: &mut Context, card: &Object<'_>, subject: &ClaimSubject) -> Result<(), Malformed> {
    context.claim(subject, ClaimKind::CardBrand, card.text("brand")?);
    context.claim(subject, ClaimKind::CardLast4, card.text("last4")?);
    context.claim(subject, ClaimKind::Fingerprint, card.text("fingerprint")?);
    if let (Some(month), Some(year)) = (card.amount("exp_month")?, card.amount("exp_year")?) {
        context.claim(
            subject,
            ClaimKind::CardExpiry,
            Some(&format!("{year:04}-{month:02}", year = year.minor(), month = month.minor())),
        );
    }
    Ok(())
}
