//! A charge: the payment. Its own word, its last transaction's and the event's name tell together what became of it; a charge that
//! was given back whole is called `canceled`, like one that never was paid.

use afluente_model::{
    Amount, AttemptKind, AuthKind, CaptureKind, Currency, Detail, DetailKey, DisputeKind, PaymentFact, PaymentKind,
    PaymentRef, ProviderId, RefundKind, Timestamp, WantKind, WantReason,
};

use super::words::{self, Story};
use super::{RESOLUTION, claim};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::Raised;
use crate::text::{asked as asked_for, noted};

/// How long after its due date a slip is still being paid: banks take up to three days to say so.
const SLIP_GRACE_MICROS: i64 = 3 * 86_400_000_000;

/// Where a charge stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Around<'a> {
    /// The name of the event that is about this charge alone.
    pub(super) event: &'a str,
    /// The order it is in, and the customer of that.
    pub(super) order: Option<&'a Object<'a>>,
    /// Whether it was read back.
    pub(super) is_answer: bool,
}

/// A charge, read once.
struct Charge<'a> {
    id: ProviderId,
    status: &'a str,
    amount: Option<Amount>,
    /// What came in; what was asked for where that is not said.
    taken: Option<Amount>,
    /// What was called off or given back so far.
    canceled: Option<Amount>,
    is_paid: bool,
    currency: Currency,
    method: &'a str,
    transaction: Transaction<'a>,
}

/// The last operation on it.
#[derive(Default)]
struct Transaction<'a> {
    id: Option<ProviderId>,
    status: &'a str,
    amount: Option<Amount>,
    antifraud: &'a str,
    needs_payer: bool,
    /// Until when the payer may pay.
    ends_at: Option<Timestamp>,
    /// Why it was refused, as the acquirer or the gateway says.
    code: Option<String>,
}

pub(super) fn read(draft: &mut Draft, object: &Object<'_>, around: Around<'_>) -> Result<(), Malformed> {
    let event_at = draft.at();
    let updated = object.moment("updated_at")?.map(|at| at.cut_to(RESOLUTION));
    if updated.is_some() {
        draft.set_at(updated);
    }
    let charge = charge(draft, object)?;
    claim::of_charge(draft, object, &charge.id, around.order);
    let payment = draft.payment(&charge.id);
    match words::story(charge.status, charge.transaction.status) {
        None => draft.unmapped(&payment, "charge.status", charge.status, (WantKind::Payment, &charge.id)),
        Some(story) => charge.tell(draft, &payment, story, around),
    }
    draft.set_at(event_at);
    Ok(())
}

fn charge<'a>(draft: &mut Draft, object: &'a Object<'a>) -> Result<Charge<'a>, Malformed> {
    let transaction = draft.unless_twice(object.object("last_transaction"))?;
    let method = draft.soft(object.text("payment_method")).unwrap_or_default();
    let paid = object.amount_or_text("paid_amount")?.filter(|paid| *paid > Amount::ZERO);
    let of_slip = transaction.map(|transaction| transaction.amount_or_text("paid_amount")).transpose()?.flatten();
    let of_slip = of_slip.filter(|paid| *paid > Amount::ZERO && matches!(method, "boleto"));
    let amount = object.amount("amount")?;
    let status = object.text("status")?.unwrap_or_default();
    // What an over- or underpaid charge took is only what it says.
    let is_exact = !matches!(status, "underpaid" | "overpaid");
    Ok(Charge {
        id: object.required_id("id")?,
        status,
        amount,
        taken: paid.or(of_slip).or(amount.filter(|_| is_exact)),
        canceled: object.amount_or_text("canceled_amount")?,
        is_paid: paid.is_some() || object.moment("paid_at")?.is_some(),
        currency: object.currency("currency")?.unwrap_or(Currency::BRL),
        method,
        transaction: transaction.map(|object| self::transaction(draft, object)).transpose()?.unwrap_or_default(),
    })
}

fn transaction<'a>(draft: &mut Draft, object: &'a Object<'a>) -> Result<Transaction<'a>, Malformed> {
    let antifraud = draft.soft(object.object("antifraud_response"));
    let expires_at = draft.soft(object.moment("expires_at"));
    let due_at = draft.soft(object.moment("due_at")).map(|at| at.shifted(SLIP_GRACE_MICROS));
    Ok(Transaction {
        id: draft.soft(object.id("id")),
        status: object.text("status")?.unwrap_or_default(),
        amount: draft.soft(object.amount_or_text("amount")),
        antifraud: antifraud.and_then(|answer| draft.soft(answer.text("status"))).unwrap_or_default(),
        needs_payer: draft.soft(object.text("threed_authentication_url")).is_some_and(|url| !url.is_empty()),
        ends_at: expires_at.or(due_at),
        code: code(draft, object),
    })
}

/// The acquirer's code, else what the gateway has to say.
fn code(draft: &mut Draft, transaction: &Object<'_>) -> Option<String> {
    let code = draft.soft(transaction.text_or_number("acquirer_return_code")).filter(|code| !code.is_empty());
    let gateway = draft.soft(transaction.object("gateway_response"));
    let errors = gateway.and_then(|gateway| draft.soft(gateway.list("errors"))).unwrap_or_default();
    let message = errors.iter().find_map(|error| match error {
        crate::json::Json::Object(error) => error.text("message").ok().flatten().map(str::to_owned),
        _ => None,
    });
    code.or(message)
}

impl Charge<'_> {
    /// Asserts what became of it.
    fn tell(&self, draft: &mut Draft, payment: &PaymentRef, story: Story, around: Around<'_>) {
        let story = self.in_the_end(story, draft.at(), around);
        if !words::is_transaction(self.transaction.status) && !self.transaction.status.is_empty() {
            draft.unknown("transaction.status", self.transaction.status);
        }
        if story == Story::Unclear || (story == Story::Taken && self.taken.is_none()) {
            draft.want(WantKind::Payment, &self.id, WantReason::Incomplete);
        }
        for kind in story.facts() {
            if let Some(fact) = self.fact(draft, *kind, story) {
                draft.assert(payment, fact);
            }
        }
        self.beside(draft, payment, story, around);
    }

    /// The story with what else the charge says of itself.
    fn in_the_end(&self, story: Story, at: Option<Timestamp>, around: Around<'_>) -> Story {
        let is_partial = self.is_open() && self.canceled.zip(self.amount).is_some_and(|(some, all)| some < all);
        let by_event = words::BY_EVENT.iter().find(|(event, charges, _)| {
            *event == around.event && (charges.is_empty() || charges.contains(&self.status))
        });
        let by_event = by_event.map(|(.., story)| *story);
        let named = by_event.filter(|by| *by != Story::Returned || (story != Story::Returning && !is_partial));
        match named.unwrap_or(story) {
            Story::Unclear | Story::Voided if self.is_paid => Story::Returned,
            Story::Unclear | Story::Voided | Story::Declined if self.ran_out(at) => Story::Expired,
            // Read back, it says no more: then nothing was ever paid.
            Story::Unclear if around.is_answer => Story::Voided,
            Story::Pending if self.waits_for_payer() => Story::Waits,
            other => other,
        }
    }

    /// Whether it holds money.
    fn is_open(&self) -> bool {
        matches!(self.status, "paid" | "overpaid" | "underpaid" | "partial_canceled")
    }

    /// Whether less was taken than was held: then what was called off is what was released, not what went back.
    fn is_partial_capture(&self) -> bool {
        self.status == "paid" && self.taken.zip(self.amount).is_some_and(|(taken, all)| taken < all)
    }

    /// By the object's own time, so that a replay says the same.
    fn ran_out(&self, at: Option<Timestamp>) -> bool {
        let waits = matches!(self.method, "pix" | "boleto");
        waits && !self.is_paid && at.zip(self.transaction.ends_at).is_some_and(|(at, end)| at >= end)
    }

    fn waits_for_payer(&self) -> bool {
        let shows_code = self.transaction.status.is_empty() && matches!(self.method, "pix" | "boleto");
        self.status == "pending" && (self.transaction.needs_payer || shows_code)
    }

    /// A fact with the amount that belongs to its kind; none where that is not known.
    fn fact(&self, draft: &Draft, kind: PaymentKind, story: Story) -> Option<PaymentFact> {
        let (op, amount) = match kind {
            PaymentKind::Capture(_) => (self.id.as_str(), Some(self.taken?)),
            PaymentKind::Totals(_) => ("t", Some(self.returned(story)?)),
            PaymentKind::Refund(_) => (self.transaction.id.as_ref()?.as_str(), self.transaction.amount),
            PaymentKind::Dispute(_) => (self.id.as_str(), self.in_dispute()),
            PaymentKind::Auth(AuthKind::Authorized) => (self.id.as_str(), self.held(story)),
            PaymentKind::Auth(_)
            | PaymentKind::Attempt(_)
            | PaymentKind::Risk(_)
            | PaymentKind::Unmapped
            | PaymentKind::Strike => (self.id.as_str(), None),
        };
        let fact = draft.fact(kind, op, self.status);
        let detail = self.detail(kind, fact.detail.clone());
        Some(fact.money(amount, amount.map(|_| self.currency)).detail(detail))
    }

    /// The running total of what went back. Where less was taken than held it cannot be told from what was released.
    fn returned(&self, story: Story) -> Option<Amount> {
        match story {
            Story::Returned => self.canceled.filter(|some| *some > Amount::ZERO).or(self.taken).min(self.taken),
            _ if self.is_partial_capture() => None,
            // What was given back before; whether the bank's share is counted there as well is not known.
            Story::Lost => self.canceled.filter(|some| Some(*some) < self.taken),
            _ => self.canceled,
        }
    }

    /// What was still there to be taken back.
    fn in_dispute(&self) -> Option<Amount> {
        let left = self.taken.zip(self.canceled).map(|(taken, back)| taken.minor() - back.minor());
        left.filter(|left| *left > 0).and_then(|left| Amount::new(left).ok()).or(self.taken)
    }

    fn held(&self, story: Story) -> Option<Amount> {
        let lowered = self.amount.zip(self.canceled).and_then(|(all, off)| Amount::new(all.minor() - off.minor()).ok());
        if story == Story::HeldLess { lowered } else { self.amount }
    }

    fn detail(&self, kind: PaymentKind, detail: Detail) -> Detail {
        match kind {
            PaymentKind::Capture(_) if matches!(self.status, "underpaid" | "overpaid") => {
                noted(asked_for(detail, self.amount), DetailKey::Reason, self.status)
            }
            PaymentKind::Capture(_) | PaymentKind::Auth(_) => asked_for(detail, self.amount),
            PaymentKind::Attempt(AttemptKind::Declined) => noted(
                asked_for(detail, self.amount),
                DetailKey::Code,
                self.transaction.code.as_deref().unwrap_or_default(),
            ),
            PaymentKind::Attempt(_) => {
                asked_for(detail, self.amount).with_time(DetailKey::ExpiresAt, self.transaction.ends_at)
            }
            PaymentKind::Dispute(_) => detail.with(DetailKey::Stage, "1"),
            PaymentKind::Risk(_)
            | PaymentKind::Refund(_)
            | PaymentKind::Totals(_)
            | PaymentKind::Unmapped
            | PaymentKind::Strike => detail,
        }
    }

    /// What the last operation and the antifraud say beside what became of the charge.
    fn beside(&self, draft: &mut Draft, payment: &PaymentRef, story: Story, around: Around<'_>) {
        let antifraud = words::ANTIFRAUD.iter().find(|(word, _)| *word == self.antifraud(around.event));
        match antifraud {
            // One thing said twice in one moment would be a tie.
            Some((_, kind)) if story.facts().contains(&PaymentKind::Risk(*kind)) => {}
            Some((word, kind)) => {
                let fact = draft.fact(PaymentKind::Risk(*kind), self.id.as_str(), word);
                draft.assert(payment, fact);
            }
            None if self.transaction.antifraud.is_empty() => {}
            None => draft.unknown("antifraud_response.status", self.transaction.antifraud),
        }
        // It said that it was paid and says now that it failed: the money is not there.
        if story == Story::Declined && self.is_paid {
            let failed = PaymentKind::Capture(CaptureKind::Failed);
            let fact = draft.fact(failed, self.id.as_str(), self.status);
            draft.assert(payment, fact);
        }
        if around.is_answer && matches!(story, Story::Taken) {
            let none = PaymentKind::Dispute(DisputeKind::None);
            let fact = draft.fact(none, self.id.as_str(), self.status);
            draft.assert(payment, fact);
        }
        self.operation(draft, payment);
    }

    /// The antifraud's word, in its answer or in the event's name.
    fn antifraud<'a>(&'a self, event: &'a str) -> &'a str {
        if self.transaction.antifraud.is_empty() {
            event.strip_prefix("charge.antifraud_").unwrap_or_default()
        } else {
            self.transaction.antifraud
        }
    }

    /// A giving back that ended. The running total holds it from a moment before on; where there is no total it counts itself.
    fn operation(&self, draft: &mut Draft, payment: &PaymentRef) {
        let ended = match self.transaction.status {
            "refunded" | "partial_refunded" => RefundKind::Succeeded,
            "error_on_refunding" => RefundKind::Failed,
            "error_on_voiding" => {
                self.alarm(draft);
                return;
            }
            _ => return,
        };
        if ended == RefundKind::Failed {
            self.alarm(draft);
        }
        let Some(op) = &self.transaction.id else { return };
        let amount = self.transaction.amount.filter(|_| self.is_partial_capture() && ended == RefundKind::Succeeded);
        let before = draft.at().map(|at| at.shifted(-RESOLUTION.micros()));
        let fact = draft
            .fact(PaymentKind::Refund(ended), op.as_str(), self.transaction.status)
            .money(amount, amount.map(|_| self.currency))
            .counted_from(before.filter(|_| ended == RefundKind::Succeeded));
        draft.assert(payment, fact);
    }

    fn alarm(&self, draft: &mut Draft) {
        draft.raise(Raised {
            kind: "money_not_returned",
            entity: format!("payment {}", self.id).into(),
            detail: "Pagar.me could not give the money back, or could not release it: look at the charge in its dashboard",
        });
    }
}
