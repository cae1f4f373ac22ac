//! A payment row as facts: the weakest there are, without a time, so that whatever a gateway says goes before them.

use afluente_model::{
    Amount, AttemptKind, AuthKind, CaptureKind, Currency, DisputeKind, Gateway, PaymentFact, PaymentKind, PaymentRef,
    ProviderId, RiskKind, TotalsKind, WantReason,
};

use super::row::Named;
use super::word::{Said, of_label, of_status};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;

/// The op of tries at Stripe: the intent, whichever charge was tried.
const INTENT: &str = "pi";
/// The op of running totals.
const TOTAL: &str = "t";

/// A row and the payment it is about.
struct Row<'a> {
    payment: PaymentRef,
    /// What holds, takes and tries are called at this gateway; none where the row does not say.
    charge: Option<&'a str>,
    tried: &'a str,
    word: &'a str,
    /// Zero is an amount nobody knew.
    amount: Option<Amount>,
    returned: Option<Amount>,
    currency: Option<Currency>,
    awaits_payer: bool,
}

/// Reads a row; what it leaves open is asked for.
pub(super) fn read(draft: &mut Draft, gateway: Gateway, object: &Object<'_>) -> Result<(), Malformed> {
    let named = Named::of(draft, gateway, object);
    let word = object.text("status")?.unwrap_or_default();
    let label = draft.soft(object.text("status_v2")).and_then(of_label);
    let said = of_status(gateway, word);
    let Some(id) = named.payment.clone() else {
        ask(draft, &named);
        return Ok(());
    };
    let payment = draft.payment(&id);
    relate(draft, &named, &id, &payment);
    let (charge, tried) = ops(gateway, &id, named.alias.as_ref());
    let method = draft.soft(object.text("method")).unwrap_or_default();
    let row = Row {
        payment,
        charge,
        tried,
        word,
        amount: positive(draft, object, "amount"),
        returned: positive(draft, object, "refunded"),
        currency: draft.soft(object.currency("currency")),
        awaits_payer: method.starts_with("pix") || method == "boleto",
    };
    let was_paid = draft.soft(object.bool("was_paid")).unwrap_or(false);
    let is_accepted = draft.soft(object.text("word")).is_some_and(|word| matches!(word, "ACCP" | "ACPD" | "PDNG"));
    let is_stale = draft.soft(object.bool("is_stale")).unwrap_or(false);
    let Some(said) = said else {
        unknown(draft, &row, &named);
        return Ok(());
    };
    // A bank that accepted has paid nothing yet: their code writes paid for it.
    let said = if is_accepted && said == Said::Taken { Said::Waiting } else { said };
    let fails_once_paid = matches!(said, Said::Declined | Said::Canceled) && was_paid;
    if !fails_once_paid {
        row.tell(draft, said);
    }
    // Their code forgets the newer column: it counts where it knows an end.
    let other = label.filter(|label| !label.is_open() && *label != said && !is_accepted);
    if let Some(other) = other.filter(|other| !fails_once_paid || other.took_money()) {
        row.tell(draft, other);
    }
    let contradicts = other.is_some_and(|other| said.contradicts(other));
    let has_no_amount = (said.took_money() || other.is_some_and(Said::took_money)) && row.amount.is_none();
    let may_be_refund = said == Said::Canceled && gateway == Gateway::Pagarme;
    let is_open = is_stale && (said.is_open() || is_accepted);
    if fails_once_paid || contradicts || has_no_amount || may_be_refund || is_open || said == Said::Unclear {
        ask(draft, &named);
    }
    Ok(())
}

fn relate(draft: &mut Draft, named: &Named, id: &ProviderId, payment: &PaymentRef) {
    if let Some(alias) = &named.alias {
        draft.alias(payment, alias);
    }
    let subject = draft.subject(SubjectKind::Payment, id);
    draft.claim(&subject, ClaimKind::Order, Ok(named.order.clone()));
}

/// Holds and takes are the charge's at Stripe and named only where the row has one; elsewhere everything is the payment's.
fn ops<'a>(gateway: Gateway, payment: &'a ProviderId, alias: Option<&'a ProviderId>) -> (Option<&'a str>, &'a str) {
    match gateway {
        Gateway::Stripe if payment.as_str().starts_with("pi_") => (alias.map(ProviderId::as_str), INTENT),
        _ => (Some(payment.as_str()), payment.as_str()),
    }
}

fn positive(draft: &mut Draft, object: &Object<'_>, key: &'static str) -> Option<Amount> {
    draft.soft(object.amount(key)).filter(|amount| *amount > Amount::ZERO)
}

fn ask(draft: &mut Draft, named: &Named) {
    if let Some((kind, id)) = &named.asked {
        draft.want(*kind, id, WantReason::Incomplete);
    }
}

fn unknown(draft: &mut Draft, row: &Row<'_>, named: &Named) {
    if let Some((kind, id)) = &named.asked {
        draft.unmapped(&row.payment, "payment_transactions.status", row.word, (*kind, id));
    }
}

impl Row<'_> {
    fn tell(&self, draft: &mut Draft, said: Said) {
        match said {
            Said::Created => self.attempt(draft, AttemptKind::Created),
            Said::Waiting if self.awaits_payer => self.attempt(draft, AttemptKind::RequiresAction),
            Said::Waiting => self.attempt(draft, AttemptKind::Pending),
            Said::NeedsAction => self.attempt(draft, AttemptKind::RequiresAction),
            Said::Declined => self.attempt(draft, AttemptKind::Declined),
            Said::Expired => {
                self.attempt(draft, AttemptKind::Expired);
                self.hold(draft, AuthKind::Expired);
            }
            Said::Canceled => {
                self.attempt(draft, AttemptKind::Canceled);
                self.hold(draft, AuthKind::Voided);
            }
            Said::Held => self.hold(draft, AuthKind::Authorized),
            Said::InReview => {
                self.hold(draft, AuthKind::Authorized);
                self.say(draft, PaymentKind::Risk(RiskKind::Review), self.charge, None);
            }
            Said::Taken => self.take(draft, self.returned),
            Said::Returned => self.take(draft, self.amount),
            Said::Disputed => self.dispute(draft, DisputeKind::Opened),
            Said::ChargedBack => self.dispute(draft, DisputeKind::Lost),
            // How much was taken is asked for.
            Said::Unclear => self.attempt(draft, AttemptKind::Pending),
        }
    }

    fn attempt(&self, draft: &mut Draft, kind: AttemptKind) {
        self.say(draft, PaymentKind::Attempt(kind), Some(self.tried), None);
    }

    /// A hold nobody can name is told by the try it was for: an amount is what makes it one.
    fn hold(&self, draft: &mut Draft, kind: AuthKind) {
        self.say(draft, PaymentKind::Auth(kind), self.charge.or(Some(self.tried)), self.amount);
    }

    /// Money taken, and what went back of it. Nothing where the row does not know how much.
    fn take(&self, draft: &mut Draft, returned: Option<Amount>) {
        let Some(amount) = self.amount else { return };
        self.say(draft, PaymentKind::Capture(CaptureKind::Succeeded), self.charge, Some(amount));
        self.say(draft, PaymentKind::Totals(TotalsKind::Captured), Some(TOTAL), Some(amount));
        if let Some(returned) = returned {
            self.say(draft, PaymentKind::Totals(TotalsKind::Refunded), Some(TOTAL), Some(returned.min(amount)));
        }
    }

    fn dispute(&self, draft: &mut Draft, kind: DisputeKind) {
        self.take(draft, self.returned);
        self.say(draft, PaymentKind::Dispute(kind), Some(self.tried), self.amount);
    }

    fn say(&self, draft: &mut Draft, kind: PaymentKind, op: Option<&str>, amount: Option<Amount>) {
        let Some(op) = op else { return };
        let fact: PaymentFact = draft.fact(kind, op, self.word).money(amount, amount.and(self.currency));
        draft.assert(&self.payment, fact);
    }
}
