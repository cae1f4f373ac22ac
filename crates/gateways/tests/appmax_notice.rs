//! Appmax's notices: nothing is signed, so that a token is all that proves one, and all that is known of one is its bytes.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::{
    AccountView, Credential, Credentials, Envelope, Reading, Rejection, Request, Secret, Tenants, adapter, read,
};
use afluente_model::{AccountName, Delivery, DeliveryId, Gateway, Incoming, Mode, Proof, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha2::{Digest, Sha256};

const K1: &str = r#"{"event":"order_paid","event_type":"order","data":{"order_id":12844}}"#;
const K2: &str = r#"{"event":"PaymentNotAuthorized | Reason: Autorizacao negada","data":{"id":3173109,"customer_id":7273638,"status":"cancelado"}}"#;

fn verified(token: Option<&str>, headers: &[(&'static str, &str)]) -> Result<Proof, Rejection> {
    let tokens = ["a-token-of-the-shop", "the-next-token-of-it"];
    let all = tokens.iter().map(|text| Credential::PathToken(Secret::new(text).unwrap())).collect();
    let pair =
        |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    let headers: HeaderMap = headers.iter().map(pair).collect();
    let request = Request {
        method: &Method::POST,
        path_token: token,
        peer: None,
        query: Some("token=a-token-of-the-shop"),
        headers: &headers,
        body: K1.as_bytes(),
    };
    adapter(Gateway::Appmax).verify(&request, &Credentials::new(all, 300), Timestamp::EPOCH)
}

fn reading(body: &str) -> Reading {
    let delivery = Delivery {
        id: DeliveryId(uuid::Uuid::nil()),
        gateway: Gateway::Appmax,
        account: AccountName::parse("loja").unwrap(),
        received_at: Timestamp::EPOCH,
        proof: Proof::PathToken,
        headers: Vec::new(),
        query: None,
        traceparent: None,
        released_by: None,
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    let view = AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own };
    read(adapter(Gateway::Appmax), &Envelope::of(&Incoming::Delivery(delivery), &view)).unwrap()
}

#[test]
fn either_token_of_two_is_taken_and_everything_else_is_refused_alike() {
    for token in ["a-token-of-the-shop", "the-next-token-of-it"] {
        assert_eq!(verified(Some(token), &[]), Ok(Proof::PathToken));
    }
    for token in [None, Some(""), Some("a-token-of-the-sho"), Some("a-token-of-the-shop2"), Some("A-TOKEN-OF-THE-SHOP")]
    {
        assert_eq!(verified(token, &[]), Err(Rejection::WrongPathToken), "{token:?}");
    }
}

#[test]
fn nothing_in_headers_or_query_stands_for_the_token() {
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-uri", "/webhooks/appmax/loja/a-token-of-the-shop"),
        ("x-appmax-token", "a-token-of-the-shop"),
        ("authorization", "Bearer a-token-of-the-shop"),
        ("user-agent", "GuzzleHttp/7"),
    ] {
        assert_eq!(verified(None, &[(name, value)]), Err(Rejection::WrongPathToken), "{name}");
    }
}

#[test]
fn vectors_k1_and_k2_hold() {
    let hash = |body: &str| Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hash(K1), "be86bb3a111f79d4df1d9dc5f5f9c9b347a84beebbc7ccb28e27a77e8024090f");
    assert_eq!(hash(K2), "af325f777f105717434c12968c245be1a9d07d0cdae7fea44a115ef424c54c08");
    let (one, two) = (reading(K1), reading(K2));
    assert_eq!(one.event.as_deref(), Some("notice:order_paid:payment/12844"));
    assert_eq!(
        two.event.as_deref(),
        Some("notice:PaymentNotAuthorized:payment/3173109"),
        "the name without its reason"
    );
    assert_eq!(&*two.event_type, "PaymentNotAuthorized | Reason: Autorizacao negada", "which people see");
    assert!(two.unmapped.is_empty() && two.facts.is_empty());
}

#[test]
fn what_the_panel_puts_into_the_address_is_not_looked_at() {
    assert!(!adapter(Gateway::Appmax).profile().keeps_query);
}
