//! Orders. One of the orders API holds its payments with names of their own; a merchant order only lists payments that stand
//! alone.

use afluente_model::{Currency, DisputeKind, PaymentKind, ProviderId, WantKind, WantReason};

use super::payment::{Paid, amount, one_refund};
use super::{answer, claim, words};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::{Json, Object};

/// An order of the orders API: each of its payments is one of ours, under the order's own name for it.
pub(super) fn read(draft: &mut Draft, order: &Object<'_>) -> Result<(), Malformed> {
    draft.set_at(order.rfc3339("last_updated_date")?);
    let id = order.required_id("id")?;
    let status = order.text("status")?.unwrap_or_default();
    let detail = order.text("status_detail")?.unwrap_or_default();
    let currency = currency(order)?;
    let Some(transactions) = order.object("transactions")? else { return Ok(()) };
    for item in transactions.list("payments")?.unwrap_or_default() {
        let Json::Object(payment) = item else {
            return Err(Malformed::Shape { field: "transactions.payments", expected: "a list of objects" });
        };
        let of = payment.required_id("id")?;
        let paid = Paid {
            payment: draft.payment(&of),
            op: of.as_str(),
            // A payment of several may stand otherwise than its order.
            status: payment.text("status")?.unwrap_or(status),
            detail: payment.text("status_detail")?.unwrap_or(detail),
            amount: amount(payment, "paid_amount", currency)?.or(amount(payment, "amount", currency)?),
            returned: None,
            currency,
            expires_at: None,
        };
        let refunds = of_payment(draft, transactions, "refunds", &of)?;
        one_payment(draft, order, &id, &paid, refunds.is_empty());
        for refund in refunds {
            let at = draft.at();
            one_refund(draft, refund, &paid, at)?;
        }
        for chargeback in of_payment(draft, transactions, "chargebacks", &of)? {
            dispute(draft, chargeback, &paid)?;
        }
    }
    Ok(())
}

/// How one payment stands. Where its refunds are listed they are what was returned: a total beside them, at the same moment, would
/// leave open whether it holds them.
fn one_payment(draft: &mut Draft, order: &Object<'_>, id: &ProviderId, paid: &Paid<'_>, is_unlisted: bool) {
    let subject = draft.subject(SubjectKind::Payment, &paid.payment.id);
    claim::references(draft, order, &subject);
    draft.claim(&subject, ClaimKind::Order, Ok(Some(id.clone())));
    let Some(row) = words::find(words::ORDER, paid.status, paid.detail) else {
        draft.unmapped(&paid.payment, "order.status", paid.status, (WantKind::Order, id));
        return;
    };
    let told = row.facts.iter().filter(|kind| is_unlisted || !matches!(kind, PaymentKind::Totals(_)));
    for kind in told {
        let fact = paid.fact(draft, *kind);
        draft.assert(&paid.payment, fact);
    }
}

/// The entries of a list that name this payment, or no payment where there is only one.
fn of_payment<'a, 'b>(
    draft: &mut Draft,
    transactions: &'a Object<'b>,
    key: &'static str,
    of: &ProviderId,
) -> Result<Vec<&'a Object<'b>>, Malformed> {
    let alone = transactions.list("payments")?.is_some_and(|payments| payments.len() == 1);
    let mut found = Vec::new();
    for item in draft.unless_twice(transactions.list(key))?.unwrap_or_default() {
        let Json::Object(object) = item else { continue };
        match object.number_or_id("transaction_id")? {
            Some(named) if named == *of => found.push(object),
            None if alone => found.push(object),
            Some(_) | None => {}
        }
    }
    Ok(found)
}

/// A chargeback inside an order. A word nobody explains leaves it open.
fn dispute(draft: &mut Draft, chargeback: &Object<'_>, paid: &Paid<'_>) -> Result<(), Malformed> {
    answer::known(draft, chargeback, "chargeback.status");
    let kind = match chargeback.text("status")? {
        Some("won") => DisputeKind::Won,
        Some("lost" | "settled") => DisputeKind::Lost,
        _ => DisputeKind::Opened,
    };
    let fact = paid.fact(draft, PaymentKind::Dispute(kind));
    draft.assert(&paid.payment, fact);
    Ok(())
}

/// The currency of an order, which it sometimes only tells by its country.
fn currency(order: &Object<'_>) -> Result<Option<Currency>, Malformed> {
    for key in ["currency", "currency_id"] {
        if let Some(currency) = order.currency(key)? {
            return Ok(Some(currency));
        }
    }
    for key in ["site_id", "country_code"] {
        let code = order.text(key)?.unwrap_or_default();
        if let Some((_, currency)) = COUNTRIES.iter().find(|(names, _)| names.contains(&code)) {
            return Ok(Currency::parse(currency).ok());
        }
    }
    Ok(None)
}

/// Sites and countries, each by its site id and its two codes, with their currency.
const COUNTRIES: &[([&str; 3], &str)] = &[
    (["MLA", "AR", "ARG"], "ARS"),
    (["MLB", "BR", "BRA"], "BRL"),
    (["MLC", "CL", "CHL"], "CLP"),
    (["MCO", "CO", "COL"], "COP"),
    (["MLM", "MX", "MEX"], "MXN"),
    (["MPE", "PE", "PER"], "PEN"),
    (["MLU", "UY", "URY"], "UYU"),
];

/// A merchant order: a parent of payments, each of which says itself how it stands. What it lists is asked for unless it is known
/// by then.
pub(super) fn merchant_order(draft: &mut Draft, order: &Object<'_>) -> Result<(), Malformed> {
    answer::known(draft, order, "merchant_order.status");
    let id = order.number_or_id("id")?;
    for item in order.list("payments")?.unwrap_or_default() {
        let Json::Object(payment) = item else { continue };
        let Some(of) = payment.number_or_id("id")? else { continue };
        draft.want(WantKind::Payment, &of, WantReason::Unconfirmed);
        let subject = draft.subject(SubjectKind::Payment, &of);
        draft.claim(&subject, ClaimKind::Order, Ok(id.clone()));
        claim::references(draft, order, &subject);
    }
    Ok(())
}
