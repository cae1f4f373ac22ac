//! Charges: one try to take money, and what became of it.

use afluente_model::{Amount, DetailKey, PaymentKind, PaymentRef, ProviderId, TotalsKind};

use super::event::{Context, asked};
use super::payment_intent::{RAN_OUT, reference};
use super::refund;
use super::words::{self, When};
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{ClaimKind, ClaimSubject, WantReason};

pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let Some(payment) = context.payment(object.id("payment_intent")?, Some(id.clone())) else { return Ok(()) };
    let status = object.text("status")?.unwrap_or_default();
    let money = Money::of(object)?;
    match words::find(words::CHARGE, status, condition(context, object, status, &money)?) {
        None => context.unmapped(&payment, "charge.status", status, ("charge", &id)),
        Some(row) => {
            for kind in row.facts {
                assert(context, object, &payment, *kind, (&id, &money))?;
            }
        }
    }
    if money.hides_refunds() {
        context.want("charge", &id, WantReason::Incomplete);
    }
    if let Some(refunds) = object.object("refunds")? {
        for one in refunds.objects("data")? {
            refund::read(context, one)?;
        }
    }
    claims(context, object, payment)
}

/// The amounts of a charge.
struct Money {
    asked: Option<Amount>,
    captured: Amount,
    returned: Amount,
}

impl Money {
    /// Old versions say only *that* it was captured.
    fn of(object: &Object<'_>) -> Result<Money, Malformed> {
        let asked = object.amount("amount")?;
        let captured = object.bool("captured")?.unwrap_or(false);
        let whole = if captured { asked.unwrap_or_default() } else { Amount::ZERO };
        let captured = if captured { object.amount("amount_captured")?.unwrap_or(whole) } else { Amount::ZERO };
        Ok(Money { asked, captured, returned: object.amount("amount_refunded")?.unwrap_or_default() })
    }

    /// What went back is told by `amount_refunded` only where nothing of the hold was released under the same field.
    fn refunds_are_money(&self) -> bool {
        self.returned > Amount::ZERO && self.asked == Some(self.captured)
    }

    /// After a partial capture the field mixes refunds and the released rest.
    fn hides_refunds(&self) -> bool {
        let released = self.asked.unwrap_or_default().wide() - self.captured.wide();
        self.captured > Amount::ZERO && released != 0 && self.returned.wide() > released
    }
}

fn condition(context: &Context, object: &Object<'_>, status: &str, money: &Money) -> Result<When, Malformed> {
    let code = object.text("failure_code")?;
    let expired = &*context.kind == "charge.expired";
    Ok(match status {
        "failed" if expired || code == Some(RAN_OUT) => When::RanOut,
        "failed" => When::LastError,
        _ if money.captured > Amount::ZERO => When::Captured,
        _ if expired => When::Deadline,
        _ if object.bool("refunded")? == Some(true) => When::Released,
        _ => When::Held,
    })
}

fn assert(
    context: &mut Context,
    object: &Object<'_>,
    payment: &PaymentRef,
    kind: PaymentKind,
    (id, money): (&ProviderId, &Money),
) -> Result<(), Malformed> {
    let word = object.text("status")?.unwrap_or_default().to_owned();
    let currency = object.currency("currency")?;
    let fact = match kind {
        PaymentKind::Totals(TotalsKind::Captured) => {
            context.fact(kind, "t", &word).money(Some(money.captured), currency)
        }
        PaymentKind::Totals(TotalsKind::Refunded) if !money.refunds_are_money() => return Ok(()),
        PaymentKind::Totals(TotalsKind::Refunded) => {
            context.fact(kind, "t", &word).money(Some(money.returned), currency)
        }
        PaymentKind::Capture(_) => {
            let fact = context.fact(kind, id.as_str(), &word).money(Some(money.captured), currency);
            let detail = asked(fact.detail.clone(), money.asked);
            fact.detail(detail)
        }
        PaymentKind::Auth(afluente_model::AuthKind::Authorized) => {
            let fact = context.fact(kind, id.as_str(), &word).money(money.asked, currency);
            let detail = asked(fact.detail.clone(), money.asked);
            fact.detail(detail)
        }
        _ => {
            let fact = context.fact(kind, id.as_str(), &word);
            let detail = fact.detail.clone().with(DetailKey::Code, object.text("failure_code")?.unwrap_or_default());
            let blocked =
                object.object("outcome")?.map(|outcome| outcome.text("type")).transpose()?.flatten() == Some("blocked");
            fact.detail(if blocked { detail.with(DetailKey::Reason, "RISK") } else { detail })
        }
    };
    context.assert(payment, fact);
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
