//! What the runner must know of each gateway: how it signs, and where its bodies hold a status.

use afluente_gateways::{Secret, stripe};
use afluente_model::Gateway;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

/// The headers a gateway would send with this body at this time.
pub(crate) fn signed(gateway: Gateway, secret: &Secret, clock: i64, body: &[u8]) -> HeaderMap {
    match gateway {
        Gateway::Stripe => {
            let header = HeaderValue::from_str(&stripe::sign(secret, clock, body)).unwrap();
            HeaderMap::from_iter([("stripe-signature".parse().unwrap(), header)])
        }
        other => panic!("{}: the runner does not know how it signs", other.slug()),
    }
}

/// The status in a body, with the field its vocabulary lists it under.
pub(crate) fn status(gateway: Gateway, body: &Value) -> Option<(String, String)> {
    match gateway {
        Gateway::Stripe => {
            let object = &body["data"]["object"];
            let (word, status) = (object["object"].as_str()?, object["status"].as_str()?);
            Some((format!("{word}.status"), status.replace(char::is_control, "")))
        }
        other => panic!("{}: the runner does not know its statuses", other.slug()),
    }
}
