//! What the runner must know of each gateway: how it signs, and where its bodies hold a status.

use afluente_gateways::{Secret, mercadopago, stripe};
use afluente_model::{Gateway, Proof, SecretName};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

/// The request id of every notice.
const REQUEST_ID: &str = "2066ca19-c6f1-498a-be75-1923005edd06";

/// A request as it is posted.
#[derive(Clone)]
pub(crate) struct Posted {
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What a gateway's own request proves.
pub(crate) fn proof(gateway: Gateway) -> Proof {
    match gateway {
        Gateway::Stripe | Gateway::MercadoPago => Proof::Signed { secret: SecretName::of(b"golden") },
        other => panic!("{}: the runner does not know what it proves", other.slug()),
    }
}

/// The request a gateway would make with this body at this time.
pub(crate) fn posted(gateway: Gateway, secret: &Secret, clock: i64, query: Option<&str>, body: &[u8]) -> Posted {
    let posted = Posted { query: query.map(str::to_owned), headers: HeaderMap::new(), body: body.to_vec() };
    match gateway {
        Gateway::Stripe => {
            let header = HeaderValue::from_str(&stripe::sign(secret, clock, body)).unwrap();
            Posted { headers: HeaderMap::from_iter([("stripe-signature".parse().unwrap(), header)]), ..posted }
        }
        Gateway::MercadoPago => {
            let id = query.unwrap().split('&').find_map(|pair| pair.strip_prefix("data.id=")).unwrap();
            let header = mercadopago::sign(secret, clock, id, REQUEST_ID);
            let headers = [("x-signature", header.as_str()), ("x-request-id", REQUEST_ID)];
            let headers = headers.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()));
            Posted { headers: HeaderMap::from_iter(headers), ..posted }
        }
        other => panic!("{}: the runner does not know how it signs", other.slug()),
    }
}

/// What somebody in between may change of it, each to something that was not signed.
pub(crate) fn changed(gateway: Gateway, posted: &Posted) -> Vec<Posted> {
    match gateway {
        Gateway::Stripe => {
            let mut changed = posted.body.clone();
            changed[posted.body.len() / 2] ^= 1;
            let cut = posted.body[..posted.body.len() - 1].to_vec();
            [changed, cut].map(|body| Posted { body, ..posted.clone() }).to_vec()
        }
        // Of all of it only the id is signed.
        Gateway::MercadoPago => {
            let query = posted.query.as_ref().map(|query| query.replacen("data.id=", "data.id=9", 1));
            vec![Posted { query, ..posted.clone() }]
        }
        other => panic!("{}: the runner does not know what it signs", other.slug()),
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
        Gateway::MercadoPago => {
            let kind =
                ["transaction_amount", "transactions", "auto_recurring"].into_iter().find(|key| !body[key].is_null());
            let field = match kind? {
                "transaction_amount" if !body["preapproval_id"].is_null() => "authorized_payment.status",
                "transaction_amount" => "payment.status",
                "transactions" => "order.status",
                _ => "preapproval.status",
            };
            Some((field.to_owned(), body["status"].as_str()?.to_owned()))
        }
        other => panic!("{}: the runner does not know its statuses", other.slug()),
    }
}
