//! Charges: one try to take money, and what became of it.

use afluente_model::{
    Amount, AttemptKind, AuthKind, Currency, DetailKey, PaymentFact, PaymentKind, PaymentRef, ProviderId, RiskKind,
    Timestamp, TotalsKind, WantKind, WantReason,
};

use super::words::{self, FAILED, HELD, PAID, RAN_OUT, When};
use super::{claim, context, refund};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::text::{asked, noted};

/// A charge of its own event, or one that came inside its intent.
pub(super) fn read(draft: &mut Draft, object: &Object<'_>, inside: Option<&PaymentRef>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let intent = match inside {
        Some(payment) => Some(payment.id.clone()),
        None => object.id("payment_intent")?,
    };
    let named = intent.is_some();
    let Some(payment) = context::payment(draft, intent, Some(id.clone())) else { return Ok(()) };
    let charge = Charge::of(draft, object, id, named)?;
    match words::find(words::CHARGE, charge.status, charge.when) {
        None => draft.unmapped(&payment, "charge.status", charge.word, (WantKind::Charge, &charge.id)),
        Some(row) => {
            for kind in row.facts {
                if let Some(fact) = charge.fact(draft, *kind) {
                    draft.assert(&payment, fact);
                }
            }
        }
    }
    verdict(draft, object, &charge, &payment);
    if charge.hides_money() {
        draft.want(WantKind::Charge, &charge.id, WantReason::Incomplete);
    }
    // A flag is no dispute: which, for how much and how it stands is another object's to say.
    if draft.soft(object.bool("disputed")) == Some(true) {
        draft.want(WantKind::Disputes, &charge.id, WantReason::Unconfirmed);
    }
    // What Stripe calls the refund of a hold gave no money back.
    if charge.when == When::Captured {
        for one in context::items(draft, object, "refunds") {
            refund::inside(draft, one, &payment);
        }
    }
    claims(draft, object, &payment);
    Ok(())
}

/// What a charge says of itself.
struct Charge<'a> {
    id: ProviderId,
    /// The status in today's word for it.
    status: &'static str,
    /// The status as the body has it.
    word: &'a str,
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
    fn of(draft: &mut Draft, object: &'a Object<'_>, id: ProviderId, of_intent: bool) -> Result<Charge<'a>, Malformed> {
        let asked = object.amount("amount")?;
        let flag = object.bool("captured")?;
        // Old versions say only *that* it was captured. Neither said is no statement, and money is never guessed.
        let captured = match object.amount("amount_captured")? {
            Some(captured) => Some(captured),
            None if flag == Some(true) => asked,
            None => flag.map(|_| Amount::ZERO),
        };
        let returned = object.amount("amount_refunded")?;
        let paid = object.bool("paid")?;
        let word = object.text("status")?.unwrap_or_default();
        let status = words::charge_status(word, paid).unwrap_or_default();
        let code = draft.unless_twice(object.text("failure_code"))?.unwrap_or_default();
        let gone = object.bool("refunded")? == Some(true) || (asked > Some(Amount::ZERO) && returned >= asked);
        let expired = draft.kind() == "charge.expired";
        let when = match (status, captured) {
            (FAILED, _) if expired || code == RAN_OUT => When::RanOut,
            (FAILED, _) => When::LastError,
            (PAID, _) if paid == Some(false) => When::Unpaid,
            (PAID, Some(captured)) if captured > Amount::ZERO => When::Captured,
            (PAID, None) => When::Unclear,
            (PAID, Some(_)) if flag == Some(true) => When::Unclear,
            (PAID, Some(_)) if expired => When::Deadline,
            (PAID, Some(_)) if gone => When::Released,
            (PAID, Some(_)) => When::Held,
            _ if expired => When::RanOut,
            _ => When::Always,
        };
        Ok(Charge {
            currency: object.currency("currency")?,
            created: draft.soft(object.seconds("created")),
            tells_end: matches!(draft.kind(), "charge.failed" | "charge.expired" | "charge.refunded"),
            id,
            status,
            word: if word.is_empty() { status } else { word },
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
    fn ended_at(&self, draft: &Draft) -> Option<Timestamp> {
        if self.tells_end { draft.at() } else { self.created.or(draft.at()) }
    }

    fn fact(&self, draft: &Draft, kind: PaymentKind) -> Option<PaymentFact> {
        let fact = |word: &str| draft.fact(kind, self.id.as_str(), word).money(None, self.currency);
        let with_asked = |word: &str| {
            let fact = fact(word);
            let detail = asked(fact.detail.clone(), self.asked);
            fact.detail(detail)
        };
        Some(match kind {
            PaymentKind::Totals(TotalsKind::Captured) => {
                draft.fact(kind, "t", self.word).money(self.captured, self.currency)
            }
            PaymentKind::Totals(TotalsKind::Refunded) => {
                let returned = self.returned.filter(|_| self.asked == self.captured)?;
                draft.fact(kind, "t", self.word).money(Some(returned), self.currency)
            }
            PaymentKind::Capture(_) => with_asked(self.word).money(self.captured, self.currency),
            PaymentKind::Auth(AuthKind::Authorized) => self.hold(with_asked(self.hold_word())),
            PaymentKind::Auth(_) => PaymentFact { at: self.ended_at(draft), ..fact(self.end_word()) },
            PaymentKind::Attempt(AttemptKind::Declined) => self.failure(draft, with_asked(self.status)),
            PaymentKind::Attempt(AttemptKind::Expired) if self.status != PAID => {
                self.failure(draft, with_asked(FAILED))
            }
            PaymentKind::Attempt(AttemptKind::Expired | AttemptKind::Canceled) => {
                PaymentFact { at: self.ended_at(draft), ..fact(self.end_word()) }
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

    fn failure(&self, draft: &Draft, fact: PaymentFact) -> PaymentFact {
        let detail = noted(fact.detail.clone(), DetailKey::Code, self.code);
        PaymentFact { at: self.ended_at(draft), ..fact }.detail(detail)
    }

    /// The intent's word, where there is one: both events of one second then say the same. The charge's own would call
    /// held money succeeded.
    fn hold_word(&self) -> &'static str {
        if self.of_intent { HELD } else { PAID }
    }

    fn end_word(&self) -> &'static str {
        if self.when == When::Deadline { "expired" } else { "refunded" }
    }
}

/// What Radar thought of it. Only a block is a verdict of its own; reviews are objects that tell their own story.
fn verdict(draft: &mut Draft, object: &Object<'_>, charge: &Charge<'_>, payment: &PaymentRef) {
    let outcome = draft.soft(object.object("outcome"));
    let word = outcome.and_then(|outcome| draft.soft(outcome.text("type"))).unwrap_or_default();
    for kind in words::find(words::OUTCOME, word, When::Always).map_or(&[][..], |row| row.facts) {
        let fact = draft.fact(*kind, charge.id.as_str(), word);
        let rejected = *kind == PaymentKind::Risk(RiskKind::Rejected);
        let at = if rejected { charge.ended_at(draft) } else { draft.at() };
        draft.assert(payment, PaymentFact { at, ..fact });
    }
}

fn claims(draft: &mut Draft, object: &Object<'_>, payment: &PaymentRef) {
    let subject = draft.subject(SubjectKind::Payment, &payment.id);
    claim::relations(draft, object, &subject, words::RELATIONS);
    if let Some(billing) = draft.soft(object.object("billing_details")) {
        claim::person(draft, billing, &subject, claim::PERSON);
        draft.claim(&subject, ClaimKind::PayerDocument, billing.text("tax_id"));
    }
    if let Some(details) = draft.soft(object.object("payment_method_details")) {
        draft.claim(&subject, ClaimKind::MethodKind, details.text("type"));
        if let Some(boleto) = draft.soft(details.object("boleto")) {
            draft.claim(&subject, ClaimKind::PayerDocument, boleto.text("tax_id"));
        }
        if let Some(pix) = draft.soft(details.object("pix")) {
            draft.claim(&subject, ClaimKind::Fingerprint, pix.text("fingerprint"));
        }
        if let Some(card) = draft.soft(details.object("card")) {
            claim::card(draft, card, &subject);
        }
    }
    claim::reference(draft, object, &subject);
}
