//! The signatures of initiators and of a house: known answers and the edges of the header.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::openfinance::sign;
use afluente_gateways::{
    AccountView, Adapter, Credentials, Envelope, Reading, Rejection, Request, Secret, Tenants, adapters, read,
};
use afluente_model::{
    AccountName, Conventions, Delivery, DeliveryId, Gateway, Incoming, Mode, Proof, Timestamp, fold, project,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

const TRANSFEERA: (&str, &str) = ("transfeera", "transfeera-signature");
const HOUSE: (&str, &str) = ("house", "x-open-finance-signature");

const T2_SECRET: &str = "tf-secret-afluente-01";
const T2: i64 = 1_789_648_206_123;
const T2_BODY: &str = r#"{"id":"7d3aae40-6655-4d9a-801b-d0ab7ae906d7","version":"v1","account_id":"d95e7630-1b3c-4ac5-991d-d599d75efdd0","object":"PaymentInitiation","date":"2026-09-17T12:30:06.000Z","data":{"id":"0f8b2c1e-5a0d-4c55-8f0e-3c1a6f6f7a01","payer":{"person_type":"NATURAL_PERSON","document":"11111111111"},"amount":149.9,"status":"succeeded","payment_method":"PIX","error":null}}"#;
const T2_SIGNATURE: &str = "c6d420307f0ee892d8a23e3cb746bad481b232fb72ebbd534563193172f50a0a";

const HOUSE_SECRET: &str = "of-house-secret-01";
const S1_BODY: &str = r#"{"id":"evt_0001","createdAt":"2026-09-17T12:30:06Z","data":{"paymentId":"P-0001","status":"paid","amount":"100.00","currency":"BRL","endToEndId":"E0003816620260917123000000000A1b"}}"#;
const S2_BODY: &str = r#"{"id":"evt_0002","createdAt":"2026-09-17T14:00:00Z","data":{"paymentId":"P-0002","recurringConsentId":"urn:holdertest:RC-77","status":"canceled","amount":"49.90","currency":"BRL"}}"#;

fn adapter(profile: &str) -> &'static dyn Adapter {
    *adapters(Gateway::OpenFinance).iter().find(|adapter| adapter.profile().name == profile).unwrap()
}

/// What a request with these headers is found to be, at this time in milliseconds.
fn verify(of: (&str, &str), secret: &str, headers: &[&str], body: &str, clock: i64) -> Result<Proof, Rejection> {
    let mut map = HeaderMap::new();
    for header in headers {
        map.append(HeaderName::from_bytes(of.1.as_bytes()).unwrap(), HeaderValue::from_str(header).unwrap());
    }
    let body = body.as_bytes();
    let request = Request { method: &Method::POST, path_token: None, peer: None, query: None, headers: &map, body };
    let credentials = Credentials::hmac([Secret::new(secret).unwrap()], 300);
    adapter(of.0).verify(&request, &credentials, Timestamp::from_micros(clock * 1_000).unwrap())
}

fn signed(stamp: i64, signature: &str) -> String {
    format!("t={stamp},v1={signature}")
}

fn says(profile: &str, body: &'static str) -> Reading {
    let delivery = Delivery {
        id: DeliveryId(uuid::Uuid::nil()),
        gateway: Gateway::OpenFinance,
        account: AccountName::parse("shop").unwrap(),
        received_at: Timestamp::from_micros(T2 * 1_000).unwrap(),
        proof: Proof::Signed { secret: Secret::new(HOUSE_SECRET).unwrap().name().clone() },
        headers: Vec::new(),
        query: None,
        traceparent: None,
        released_by: None,
        body: Bytes::from_static(body.as_bytes()),
    };
    let view = AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own };
    read(adapter(profile), &Envelope::of(&Incoming::Delivery(delivery), &view)).unwrap()
}

#[test]
fn t1_and_t2_transfeeras_own_answer_and_ours_hold() {
    let t1 = r#"{"testing":true,"someString":"string-value"}"#;
    let answer = "348a92ec7864e30fc9cf3ea91b2e6e1392a14c8379103cb1d8e48e39334a4fd8";
    for (secret, stamp, body, answer) in
        [("my-secret", 1_580_306_991_086, t1, answer), (T2_SECRET, T2, T2_BODY, T2_SIGNATURE)]
    {
        let secret_of = Secret::new(secret).unwrap();
        assert_eq!(sign(&secret_of, stamp, body.as_bytes()), signed(stamp, answer));
        let proof = Proof::Signed { secret: secret_of.name().clone() };
        assert_eq!(verify(TRANSFEERA, secret, &[&signed(stamp, answer)], body, stamp), Ok(proof));
    }
    let reading = says("transfeera", T2_BODY);
    assert_eq!(reading.event.as_deref(), Some("event:7d3aae40-6655-4d9a-801b-d0ab7ae906d7"));
    let (payment, fact) = &reading.facts[0];
    assert_eq!(payment.id.as_str(), "0f8b2c1e-5a0d-4c55-8f0e-3c1a6f6f7a01");
    let row = project(&fold([fact]), Conventions::PLAIN);
    let currency = row.currency.map(|currency| currency.to_string());
    assert_eq!(
        (row.status.as_str(), row.amounts.captured.minor(), currency.as_deref()),
        ("SUCCEEDED", 14_990, Some("BRL"))
    );
}

#[test]
fn t3_to_t5_other_bytes_seconds_and_a_signature_without_its_time_are_refused() {
    let wrong = Err(Rejection::WrongSignature { secrets: 1 });
    let spaced = T2_BODY.replace(':', ": ").replace(',', ", ").replace("12: 30: 06", "12:30:06");
    assert_eq!(verify(TRANSFEERA, T2_SECRET, &[&signed(T2, T2_SIGNATURE)], &spaced, T2), wrong);
    let correct = "5a0350aeed9f5d0767dab10062f659d864b45c29f31f7ffd95a42fb3107d6f1c";
    assert!(verify(TRANSFEERA, T2_SECRET, &[&signed(T2, correct)], &spaced, T2).is_ok());
    let seconds = signed(T2 / 1_000, "83fa2ed61003b555202482bf7765f3d9678fed05bf17d96914f2705fd63e0efd");
    let late = verify(TRANSFEERA, T2_SECRET, &[&seconds], T2_BODY, T2);
    assert!(matches!(late, Err(Rejection::TooOld { .. })), "{late:?}");
    let alone = "7d5a0a49e6c646ab870f2ac660c1c0c577d019e0687e8b9584bcdd23ebcfbed9";
    assert_eq!(verify(TRANSFEERA, T2_SECRET, &[&signed(T2, alone)], T2_BODY, T2), wrong);
}

#[test]
fn s1_and_s2_the_houses_answers_hold() {
    for (stamp, body, answer, row) in [
        (T2, S1_BODY, "f2b1e250e1dde53488c4eb9560b88f76d9da35abc64a0a24f7fe2b8b04c949f5", ("SUCCEEDED", 10_000)),
        (
            1_789_653_600_000,
            S2_BODY,
            "d1aabb4c29ff9aa9daa21514932ac8b5b6bd1d7653cb47e5b16861a8b1ba8fe9",
            ("CANCELED", 0),
        ),
    ] {
        assert!(verify(HOUSE, HOUSE_SECRET, &[&signed(stamp, answer)], body, stamp).is_ok());
        let reading = says("house", body);
        let payment = project(&fold([&reading.facts[0].1]), Conventions::PLAIN);
        assert_eq!((payment.status.as_str(), payment.amounts.captured.minor()), row);
    }
}

#[test]
fn the_edges_of_the_header_are_those_of_every_signature_with_a_time() {
    let good = signed(T2, T2_SIGNATURE);
    let verify = |headers: &[&str], clock| verify(TRANSFEERA, T2_SECRET, headers, T2_BODY, clock);
    assert!(verify(&[&good], T2 + 300_000).is_ok() && verify(&[&good], T2 - 300_000).is_ok());
    assert!(matches!(verify(&[&good], T2 + 301_000), Err(Rejection::TooOld { .. })));
    assert!(matches!(verify(&[&good], T2 - 301_000), Err(Rejection::FromFuture { .. })));
    assert!(verify(&[&format!("t={T2},v0=00,v2=11,v1={},v1={T2_SIGNATURE}", "0".repeat(64))], T2).is_ok());
    assert_eq!(verify(&[], T2), Err(Rejection::NoSignature));
    assert_eq!(verify(&[&good, &good], T2), Err(Rejection::RepeatedHeader));
    for bad in ["", "t=1", "v1=00", "t=,v1=00", "t=a,v1=00", &format!("t={}0000000000,v1={T2_SIGNATURE}", i64::MAX)] {
        assert!(verify(&[bad], T2).is_err(), "{bad}");
    }
    assert!(matches!(verify(&[&format!("t={T2},v2={T2_SIGNATURE}")], T2), Err(Rejection::UnusableSignature { .. })));
}

#[test]
fn an_empty_body_without_a_signature_only_asks_whether_transfeera_is_heard_here() {
    assert_eq!(verify(TRANSFEERA, T2_SECRET, &[], "", T2), Err(Rejection::Probe));
    assert_eq!(verify(TRANSFEERA, T2_SECRET, &[&signed(T2, T2_SIGNATURE)], "", T2), Err(Rejection::EmptyBody));
    assert_eq!(verify(HOUSE, HOUSE_SECRET, &[], "", T2), Err(Rejection::NoSignature));
}
