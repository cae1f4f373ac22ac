//! What the runner must know of each gateway: how it signs, and where its bodies hold a status.

use afluente_gateways::pagarme::{self, HubKey};
use afluente_gateways::{Credential, Credentials, KeySet, Secret, adapter, mercadopago, openfinance, stripe};
use afluente_model::{Gateway, Proof, SecretName};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::case::{Body, Case, FORM};

/// The request id of every notice.
const REQUEST_ID: &str = "2066ca19-c6f1-498a-be75-1923005edd06";

/// A request as it is posted.
#[derive(Clone)]
pub(crate) struct Posted {
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The key the Hub signs with.
fn hub() -> HubKey {
    HubKey::from_der("hub", include_bytes!("../keys/rfc7515-a2.der")).unwrap()
}

/// What the account of every case is checked with.
pub(crate) fn credentials(gateway: Gateway, secret: Secret) -> Credentials {
    let mut all = vec![Credential::Hmac(secret)];
    if gateway == Gateway::Pagarme {
        let keys = KeySet::default();
        keys.replace(format!(r#"{{"keys":[{}]}}"#, hub().jwk()).as_bytes()).unwrap();
        all.push(Credential::Keys(keys));
    }
    Credentials::new(all, 300).with_digest(adapter(gateway).profile().digests[0])
}

/// Whether a signature ends with its time; else it holds for ever.
pub(crate) fn stamps(gateway: Gateway) -> bool {
    gateway != Gateway::Pagarme
}

/// What a gateway's own request proves.
pub(crate) fn proof(gateway: Gateway) -> Proof {
    match gateway {
        // Nothing it sends is signed.
        Gateway::Appmax => Proof::PathToken,
        Gateway::Stripe | Gateway::MercadoPago | Gateway::Pagarme | Gateway::OpenFinance => {
            Proof::Signed { secret: SecretName::of(b"golden") }
        }
    }
}

/// The request a gateway would make with this body at this time.
pub(crate) fn posted(gateway: Gateway, secret: &Secret, clock: i64, of: &Body) -> Posted {
    let (query, body) = (of.query(), &of.bytes);
    let posted = Posted { query: query.map(str::to_owned), headers: HeaderMap::new(), body: body.clone() };
    match gateway {
        Gateway::Stripe => {
            let header = HeaderValue::from_str(&stripe::sign(secret, clock, body)).unwrap();
            Posted { headers: HeaderMap::from_iter([("stripe-signature".parse().unwrap(), header)]), ..posted }
        }
        Gateway::MercadoPago => {
            let id = query.unwrap().split('&').find_map(|pair| pair.strip_prefix("data.id=")).unwrap();
            let header = mercadopago::sign(secret, clock, id, REQUEST_ID);
            let headers = [("x-signature", header.as_str()), ("x-request-id", REQUEST_ID)];
            Posted { headers: headers_of(headers), ..posted }
        }
        Gateway::Pagarme if of.is_form() => {
            let headers = [("x-hub-signature", &*pagarme::sign_postback(secret, body)), ("content-type", FORM)];
            Posted { headers: headers_of(headers), ..posted }
        }
        Gateway::Pagarme => {
            let header = hub().sign(body);
            let headers = [("x-webhook-asymmetric-signature", &*header), ("content-type", "application/json")];
            Posted { headers: headers_of(headers), ..posted }
        }
        Gateway::OpenFinance => {
            let header = &*openfinance::sign(secret, clock * 1_000, body);
            let headers = [("transfeera-signature", header), ("x-open-finance-signature", header)];
            Posted { headers: headers_of(headers), ..posted }
        }
        Gateway::Appmax => panic!("nothing of Appmax's is signed"),
    }
}

fn headers_of(headers: [(&str, &str); 2]) -> HeaderMap {
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()));
    HeaderMap::from_iter(headers)
}

/// What somebody in between may change of it, each to something that was not signed.
pub(crate) fn changed(gateway: Gateway, posted: &Posted) -> Vec<Posted> {
    match gateway {
        Gateway::Stripe | Gateway::Pagarme | Gateway::OpenFinance => {
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
        Gateway::Appmax => panic!("nothing of Appmax's is signed"),
    }
}

/// The status in a body, with the field its vocabulary lists it under.
pub(crate) fn status(case: &Case, body: &Value) -> Option<(String, String)> {
    match case.gateway {
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
        Gateway::Pagarme => {
            let object = if body["data"].is_object() { &body["data"] } else { body };
            let prefixes = [("ch_", "charge"), ("or_", "order"), ("sub_", "subscription"), ("in_", "invoice")];
            let id = object["id"].as_str()?;
            let (_, word) = prefixes.into_iter().find(|(begins, _)| id.starts_with(begins))?;
            Some((format!("{word}.status"), object["status"].as_str()?.to_owned()))
        }
        Gateway::Appmax => {
            let data = &body["data"];
            let status = data["order"]["status"].as_str().or(data["status"].as_str())?;
            // Sources write its words in either case.
            Some(if data["charges"].is_array() {
                ("subscription.status".to_owned(), status.to_uppercase())
            } else {
                ("order.status".to_owned(), status.trim().to_lowercase())
            })
        }
        Gateway::OpenFinance => {
            let data = &body["data"];
            let status = data["status"].as_str()?;
            match case.adapter().profile().name {
                "ofb" => Some((resource(data)?.to_owned(), status.to_owned())),
                profile => Some((format!("{profile}.status"), status.to_lowercase())),
            }
        }
    }
}

/// The field of a status, by the resource it stands in.
fn resource(data: &Value) -> Option<&'static str> {
    let named = [
        ("paymentId", "pix.status"),
        ("recurringPaymentId", "pix.status"),
        ("consentId", "consent.status"),
        ("recurringConsentId", "recurring_consent.status"),
        ("enrollmentId", "enrollment.status"),
    ];
    named.into_iter().find(|(key, _)| data[*key].is_string()).map(|(_, field)| field)
}
