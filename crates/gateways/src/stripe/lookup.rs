//! Which call reads an object back. Links in bodies are never followed: a path is built from a kind and an id we checked.

use afluente_model::{Asked, WantKind, WantReason};

use crate::reading::{Absent, Call, Impossible, Want};

/// Kinds of objects and where the API has them.
const PATHS: &[(WantKind, &str)] = &[
    (WantKind::Charge, "/v1/charges/"),
    (WantKind::CheckoutSession, "/v1/checkout/sessions/"),
    (WantKind::Customer, "/v1/customers/"),
    (WantKind::Dispute, "/v1/disputes/"),
    (WantKind::Event, "/v2/core/events/"),
    (WantKind::Invoice, "/v1/invoices/"),
    (WantKind::InvoicePayment, "/v1/invoice_payments/"),
    (WantKind::PaymentIntent, "/v1/payment_intents/"),
    (WantKind::PaymentMethod, "/v1/payment_methods/"),
    (WantKind::Refund, "/v1/refunds/"),
    (WantKind::Review, "/v1/reviews/"),
    (WantKind::Subscription, "/v1/subscriptions/"),
];

/// Whether an id may become a path segment: letters, digits and underscores need no escaping.
pub(super) fn is_safe_id(id: &str) -> bool {
    (1..=255).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The kind of want for an object of this word of Stripe's; `None` for objects no call of ours reads. An event is one of
/// which nothing else is known.
pub(super) fn kind(word: &str) -> Option<WantKind> {
    let kind = WantKind::parse(word).filter(|kind| *kind != WantKind::Event)?;
    PATHS.iter().any(|(known, _)| *known == kind).then_some(kind)
}

/// The list of refunds, whose sum tells what no total of a partly captured charge does.
fn refunds_of(kind: WantKind) -> Option<&'static str> {
    match kind {
        WantKind::Charge => Some("/v1/refunds?limit=100&charge="),
        WantKind::PaymentIntent => Some("/v1/refunds?limit=100&payment_intent="),
        _ => None,
    }
}

pub(super) fn calls(want: &Want) -> Result<Vec<Call>, Impossible> {
    let impossible = || Impossible { kind: want.kind };
    let id = want.id.as_str();
    // A payment we doubt is known by its intent or, without one, by its charge.
    let kind = match want.kind {
        WantKind::Payment if id.starts_with("pi_") => WantKind::PaymentIntent,
        WantKind::Payment => WantKind::Charge,
        other => other,
    };
    let path = match kind {
        WantKind::Disputes if id.starts_with("pi_") => "/v1/disputes?limit=100&payment_intent=",
        WantKind::Disputes => "/v1/disputes?limit=100&charge=",
        _ => PATHS.iter().find(|(known, _)| *known == kind).ok_or_else(impossible)?.1,
    };
    if !is_safe_id(id) {
        return Err(impossible());
    }
    // Who doubts money asks for its refunds as well; who only asks what an object says does not.
    let doubts = !matches!(want.reason, WantReason::Hint | WantReason::Unconfirmed);
    let refunds = refunds_of(kind).filter(|_| doubts).map(|path| (path, true));
    let paths = [Some((path, want.kind == WantKind::Disputes)), refunds].into_iter().flatten();
    let call = |(path, listed)| Call {
        asked: Asked {
            kind: want.kind,
            id: want.id.clone(),
            tenant: want.tenant.clone(),
            context: want.context.clone(),
            path: format!("{path}{id}").into(),
            listed,
        },
        absent: Absent::NotYet,
    };
    Ok(paths.map(call).collect())
}

#[cfg(test)]
mod tests {
    use afluente_model::ProviderId;

    use super::*;

    fn want(kind: &str, id: &str) -> Want {
        Want {
            kind: kind.parse().unwrap(),
            id: ProviderId::parse(id).unwrap(),
            tenant: None,
            context: None,
            reason: WantReason::Hint,
        }
    }

    #[test]
    fn an_object_has_its_path() {
        let path = |kind, id| calls(&want(kind, id)).unwrap()[0].asked.path.to_string();
        assert_eq!(path("payment_intent", "pi_1"), "/v1/payment_intents/pi_1");
        assert_eq!(path("checkout.session", "cs_test_1"), "/v1/checkout/sessions/cs_test_1");
        assert_eq!(path("payment", "ch_1"), "/v1/charges/ch_1");
        assert_eq!(path("event", "evt_1"), "/v2/core/events/evt_1");
        assert_eq!(path("disputes", "ch_1"), "/v1/disputes?limit=100&charge=ch_1");
        assert_eq!(path("disputes", "pi_1"), "/v1/disputes?limit=100&payment_intent=pi_1");
    }

    #[test]
    fn a_doubt_about_money_asks_for_the_refunds_too() {
        let paths = |kind, id| {
            let want = Want { reason: WantReason::Incomplete, ..want(kind, id) };
            calls(&want).unwrap().into_iter().map(|call| call.asked.path.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(paths("charge", "ch_1"), ["/v1/charges/ch_1", "/v1/refunds?limit=100&charge=ch_1"]);
        assert_eq!(paths("payment", "pi_1")[1], "/v1/refunds?limit=100&payment_intent=pi_1");
        assert_eq!(paths("dispute", "du_1").len(), 1);
    }

    #[test]
    fn nothing_else_gets_into_a_path() {
        for id in ["../secrets", "pi_1/refunds", "pi_1?x=1", "pi%2F1", "pi.1"] {
            assert!(calls(&want("payment_intent", id)).is_err(), "{id}");
        }
        assert!(calls(&want("plan", "plan_1")).is_err());
    }
}
