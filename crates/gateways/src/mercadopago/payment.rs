//! A payment as it is read back: one status with a detail, totals that run, refunds beside them.

use afluente_model::{
    Amount, Asked, AttemptKind, AuthKind, CaptureKind, Currency, Detail, DetailKey, DisputeKind, PaymentFact,
    PaymentKind, PaymentRef, ProviderId, RefundKind, Timestamp, TotalsKind, WantKind,
};

use super::{claim, words};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::{Json, Object};
use crate::reading::{IgnoredBecause, Raised};
use crate::text::{asked as asked_for, noted};

/// What is asked along with a payment whose chargeback was covered.
pub(super) fn covered() -> ProviderId {
    let Ok(covered) = ProviderId::parse("covered") else { unreachable!("seven letters are an id") };
    covered
}

/// What a payment says of itself, read once.
pub(super) struct Paid<'a> {
    pub(super) payment: PaymentRef,
    pub(super) op: &'a str,
    pub(super) status: &'a str,
    pub(super) detail: &'a str,
    pub(super) amount: Option<Amount>,
    pub(super) returned: Option<Amount>,
    pub(super) currency: Option<Currency>,
    pub(super) expires_at: Option<Timestamp>,
}

pub(super) fn read(draft: &mut Draft, object: &Object<'_>, asked: &Asked) -> Result<(), Malformed> {
    draft.set_at(object.rfc3339("date_last_updated")?);
    claim::of_payment(draft, object, &asked.id);
    // Made when a subscriber changes the card: no money, whatever becomes of it.
    if object.text("operation_type")? == Some("card_validation") {
        draft.ignore(IgnoredBecause::NothingToSay);
        return Ok(());
    }
    let currency = object.currency("currency_id")?;
    let status = object.text("status")?.unwrap_or_default();
    let paid = Paid {
        payment: draft.payment(&asked.id),
        op: asked.id.as_str(),
        status,
        detail: object.text("status_detail")?.unwrap_or_default(),
        amount: amount(object, "transaction_amount", currency)?,
        returned: amount(object, "transaction_amount_refunded", currency)?,
        currency,
        expires_at: draft.soft(object.rfc3339("date_of_expiration")),
    };
    let Some(row) = words::find(words::PAYMENT, status, paid.detail) else {
        draft.unmapped(&paid.payment, "payment.status", status, (WantKind::Payment, &asked.id));
        return Ok(());
    };
    for kind in row.facts {
        let kind = if is_won(&paid, *kind, asked) { PaymentKind::Dispute(DisputeKind::Won) } else { *kind };
        let fact = paid.fact(draft, kind);
        draft.assert(&paid.payment, fact);
    }
    if paid.detail == words::REIMBURSED && !is_covered(asked) {
        draft.raise(Raised {
            kind: "chargeback_reimbursed",
            entity: format!("payment {}", asked.id).into(),
            detail: "the money of a chargeback was given back, and to whom is not said: look at the payment in Mercado Pago's panel",
        });
    }
    refunds(draft, object, &paid)
}

fn is_covered(asked: &Asked) -> bool {
    asked.context.as_ref().is_some_and(|context| *context == covered())
}

/// A dispute whose money came back to us, because the gateway covered it.
fn is_won(paid: &Paid<'_>, kind: PaymentKind, asked: &Asked) -> bool {
    kind == PaymentKind::Dispute(DisputeKind::Opened) && paid.detail == words::REIMBURSED && is_covered(asked)
}

/// An amount in units of its currency, exact. Without a currency nobody knows how many decimals it has.
pub(super) fn amount(
    object: &Object<'_>,
    key: &'static str,
    currency: Option<Currency>,
) -> Result<Option<Amount>, Malformed> {
    match currency {
        Some(currency) => object.decimal(key, afluente_model::money::Scale::iso4217(currency)),
        None => Ok(None),
    }
}

impl Paid<'_> {
    /// A fact of this payment with the amount that belongs to its kind.
    pub(super) fn fact(&self, draft: &Draft, kind: PaymentKind) -> PaymentFact {
        let op = if matches!(kind, PaymentKind::Totals(_)) { "t" } else { self.op };
        let amount = match kind {
            PaymentKind::Attempt(_) | PaymentKind::Risk(_) | PaymentKind::Unmapped | PaymentKind::Strike => None,
            PaymentKind::Auth(AuthKind::Voided | AuthKind::Expired) => None,
            PaymentKind::Dispute(DisputeKind::None) => None,
            PaymentKind::Totals(TotalsKind::Refunded) if self.status == "refunded" => self.returned.max(self.amount),
            PaymentKind::Totals(TotalsKind::Refunded) => Some(self.returned.unwrap_or(Amount::ZERO)),
            PaymentKind::Auth(_) | PaymentKind::Capture(_) | PaymentKind::Totals(_) | PaymentKind::Refund(_) => {
                self.amount
            }
            PaymentKind::Dispute(_) => self.amount,
        };
        let fact = draft.fact(kind, op, self.status);
        let detail = self.detail_of(kind, fact.detail.clone());
        fact.money(amount, amount.and(self.currency)).detail(detail)
    }

    fn detail_of(&self, kind: PaymentKind, detail: Detail) -> Detail {
        let detail = match kind {
            PaymentKind::Attempt(_) => asked_for(detail, self.amount),
            _ => detail,
        };
        match kind {
            PaymentKind::Attempt(AttemptKind::Declined) => noted(detail, DetailKey::Code, self.detail),
            PaymentKind::Attempt(AttemptKind::RequiresAction | AttemptKind::Pending) => {
                detail.with_time(DetailKey::ExpiresAt, self.expires_at)
            }
            PaymentKind::Capture(CaptureKind::Succeeded) | PaymentKind::Auth(AuthKind::Authorized) => {
                asked_for(detail, self.amount)
            }
            PaymentKind::Dispute(_) if self.status == "charged_back" => {
                noted(detail.with(DetailKey::Stage, "1"), DetailKey::Reason, self.detail)
            }
            _ => detail,
        }
    }
}

/// Refunds one by one. The running total holds those that succeeded; what is on its way stands beside it.
fn refunds(draft: &mut Draft, object: &Object<'_>, paid: &Paid<'_>) -> Result<(), Malformed> {
    for item in draft.unless_twice(object.list("refunds"))?.unwrap_or_default() {
        let Json::Object(refund) = item else {
            draft.note(Malformed::Shape { field: "refunds", expected: "a list of objects" });
            continue;
        };
        let made = draft.soft(refund.rfc3339("date_created"));
        one_refund(draft, refund, paid, made.or(draft.at()))?;
    }
    Ok(())
}

/// One refund of a payment. The total holds it from the moment it succeeded, which is not before it was made.
pub(super) fn one_refund(
    draft: &mut Draft,
    refund: &Object<'_>,
    paid: &Paid<'_>,
    made: Option<Timestamp>,
) -> Result<(), Malformed> {
    let Some(id) = refund.number_or_id("id")? else {
        draft.note(Malformed::Id { field: "refunds.id" });
        return Ok(());
    };
    let status = refund.text("status")?.unwrap_or_default();
    let Some((_, kind)) = words::REFUND.iter().find(|(word, _)| *word == status) else {
        draft.unknown("refund.status", status);
        return Ok(());
    };
    let amount = amount(refund, "amount", paid.currency)?;
    let counted = if *kind == RefundKind::Pending { None } else { made };
    let fact = draft
        .fact(PaymentKind::Refund(*kind), id.as_str(), status)
        .money(amount, amount.and(paid.currency))
        .counted_from(counted);
    draft.assert(&paid.payment, fact);
    Ok(())
}
