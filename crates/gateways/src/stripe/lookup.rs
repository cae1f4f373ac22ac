//! Which call reads an object back. Links in bodies are never followed: a path is built from a kind and an id we checked.

use afluente_model::Gateway;

use crate::reading::{Call, Impossible, Want};

/// Kinds of objects and where the API has them.
const PATHS: &[(&str, &str)] = &[
    ("charge", "/v1/charges/"),
    ("checkout.session", "/v1/checkout/sessions/"),
    ("customer", "/v1/customers/"),
    ("dispute", "/v1/disputes/"),
    ("event", "/v2/core/events/"),
    ("invoice", "/v1/invoices/"),
    ("payment_intent", "/v1/payment_intents/"),
    ("payment_method", "/v1/payment_methods/"),
    ("refund", "/v1/refunds/"),
    ("review", "/v1/reviews/"),
    ("subscription", "/v1/subscriptions/"),
];

/// Whether an id may become a path segment: letters, digits and underscores need no escaping.
pub(super) fn is_safe_id(id: &str) -> bool {
    (1..=255).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

pub(super) fn calls(want: &Want) -> Result<Vec<Call>, Impossible> {
    let impossible = || Impossible { kind: want.kind.clone() };
    let id = want.id.as_str();
    // A payment we doubt is known by its intent or, without one, by its charge.
    let kind = match &*want.kind {
        "payment" if id.starts_with("pi_") => "payment_intent",
        "payment" => "charge",
        other => other,
    };
    let (_, path) = PATHS.iter().find(|(known, _)| *known == kind).ok_or_else(impossible)?;
    if !is_safe_id(id) {
        return Err(impossible());
    }
    Ok(vec![Call { gateway: Gateway::Stripe, path: format!("{path}{id}").into(), tenant: want.tenant.clone() }])
}

#[cfg(test)]
mod tests {
    use afluente_model::ProviderId;

    use super::*;
    use crate::reading::WantReason;

    fn want(kind: &str, id: &str) -> Want {
        Want { kind: kind.into(), id: ProviderId::parse(id).unwrap(), tenant: None, reason: WantReason::Hint }
    }

    #[test]
    fn an_object_has_its_path() {
        let path = |kind, id| calls(&want(kind, id)).unwrap()[0].path.to_string();
        assert_eq!(path("payment_intent", "pi_1"), "/v1/payment_intents/pi_1");
        assert_eq!(path("checkout.session", "cs_test_1"), "/v1/checkout/sessions/cs_test_1");
        assert_eq!(path("payment", "ch_1"), "/v1/charges/ch_1");
    }

    #[test]
    fn nothing_else_gets_into_a_path() {
        for id in ["../secrets", "pi_1/refunds", "pi_1?x=1", "pi%2F1", "pi.1"] {
            assert!(calls(&want("payment_intent", id)).is_err(), "{id}");
        }
        assert!(calls(&want("coupon", "co_1")).is_err());
    }
}
