//! A row as it is taken in: its ids, and what they name at the gateway.

use afluente_model::{Gateway, ProviderId, WantKind};

use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;

/// What the ids of a row name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// The payment.
    pub(super) payment: Option<ProviderId>,
    /// Another name of it.
    pub(super) alias: Option<ProviderId>,
    /// The order it is one of.
    pub(super) order: Option<ProviderId>,
    /// What the gateway would have to be asked for to learn more.
    pub(super) asked: Option<(WantKind, ProviderId)>,
}

impl Named {
    /// By the row's charge, its order and its own id, each of which may hold any of several things, then what was found in its
    /// stored body.
    pub(super) fn of(draft: &mut Draft, gateway: Gateway, row: &Object<'_>) -> Named {
        let mut id = |key| draft.soft(row.id(key));
        let (charge, order, own, found) = (id("charge"), id("order"), id("row"), id("found"));
        match gateway {
            Gateway::Stripe => stripe(&[charge, order, own, found]),
            Gateway::Pagarme => pagarme(&[charge, order, own, found]),
            Gateway::Appmax => one([order, after("appmax_", own), found].into_iter().find_map(of_digits)),
            Gateway::MercadoPago => one(of_digits(charge).or_else(|| of_digits(order))),
            // A consent or a state of a checkout stands in the row's own id, and its order is no payment then.
            Gateway::OpenFinance => {
                let is_joined = own.is_some_and(|own| own.as_str().contains(':'));
                one(charge.or(order.filter(|_| !is_joined)))
            }
        }
    }
}

fn one(payment: Option<ProviderId>) -> Named {
    let asked = payment.clone().map(|id| (WantKind::Payment, id));
    Named { payment, asked, ..Named::default() }
}

fn stripe(ids: &[Option<ProviderId>]) -> Named {
    let (intent, charge) = (starting("pi_", ids), starting("ch_", ids).or_else(|| starting("py_", ids)));
    let invoice = starting("in_", ids).or_else(|| after("inv_", starting("inv_", ids)));
    let asked = match (&intent, &charge, invoice) {
        (Some(intent), _, _) => Some((WantKind::PaymentIntent, intent.clone())),
        (None, Some(charge), _) => Some((WantKind::Charge, charge.clone())),
        (None, None, invoice) => invoice.map(|invoice| (WantKind::Invoice, invoice)),
    };
    let alias = intent.as_ref().and(charge.clone());
    Named { payment: intent.or(charge), alias, order: None, asked }
}

fn pagarme(ids: &[Option<ProviderId>]) -> Named {
    let (charge, order) = (starting("ch_", ids), starting("or_", ids));
    let asked = match (&charge, &order) {
        (Some(charge), _) => Some((WantKind::Payment, charge.clone())),
        (None, Some(order)) => Some((WantKind::Order, order.clone())),
        (None, None) => starting("sub_", ids).map(|id| (WantKind::Subscription, id)),
    };
    Named { payment: charge, alias: None, order, asked }
}

fn starting(prefix: &str, ids: &[Option<ProviderId>]) -> Option<ProviderId> {
    ids.iter().flatten().find(|id| id.as_str().starts_with(prefix)).cloned()
}

/// What stands behind a prefix of theirs.
fn after(prefix: &str, id: Option<ProviderId>) -> Option<ProviderId> {
    let id = id?;
    ProviderId::parse(id.as_str().strip_prefix(prefix)?).ok()
}

fn of_digits(id: Option<ProviderId>) -> Option<ProviderId> {
    id.filter(|id| id.as_str().bytes().all(|byte| byte.is_ascii_digit()))
}

/// The gateway behind the row's spelling of it has to be the account's.
pub(super) fn is_of(gateway: Gateway, row: &Object<'_>) -> Result<(), Malformed> {
    let spelled = row.text("provider")?.and_then(afluente_model::legacy::gateway_spelled);
    let is_it = spelled == Some(gateway);
    is_it.then_some(()).ok_or(Malformed::Shape { field: "provider", expected: "a spelling of the account's gateway" })
}
