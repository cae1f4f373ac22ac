//! Stripe's signature: known answers and every edge of the header.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::stripe::sign;
use afluente_gateways::{Credentials, Rejection, Request, Secret, adapter};
use afluente_model::{Gateway, Proof, Timestamp};
use http::{HeaderMap, HeaderValue, Method};

const S1: &str = "whsec_test_secret";
const S2: &str = "whsec_rotated_old_secret";
const T: i64 = 1_614_556_800;
const A: &str = r#"{"id":"evt_test_webhook","object":"event"}"#;
const A_S1: &str = "96943a0ceebda8d3913e8b90697d39bbe16342f950890d77a41a248e4fb22794";
const A_S2: &str = "f7de12b53bc5bd1137cc9824fc42feaec14de60bc7a81f2d8ad6760e9c852329";
const B: &str = "{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}";
const C: &str = r#"{"id":"evt_1AfluenteKAT","object":"event","api_version":"2026-10-28.endive","created":1614556799,"livemode":false,"pending_webhooks":1,"type":"payment_intent.succeeded","data":{"object":{"id":"pi_1AfluenteKAT","object":"payment_intent","amount":10990,"amount_received":10990,"currency":"brl","status":"succeeded","description":"Café – São Paulo ✓"}},"request":{"id":null,"idempotency_key":null}}"#;
const D: &str = r#"{"id":"evt_65AfluenteThin","object":"v2.core.event","type":"v1.payment_intent.succeeded","created":"2026-11-01T12:34:56.789Z","livemode":false,"context":"acct_1Connected","related_object":{"id":"pi_1AfluenteKAT","type":"payment_intent","url":"/v1/payment_intents/pi_1AfluenteKAT"},"snapshot_event":"evt_1AfluenteKAT"}"#;

fn keys(secrets: &[&str]) -> Credentials {
    Credentials::hmac(secrets.iter().map(|text| Secret::new(text).unwrap()), 300)
}

fn verify_with(keys: &Credentials, headers: &[&str], body: &[u8], clock: i64) -> Result<Proof, Rejection> {
    let mut map = HeaderMap::new();
    for header in headers {
        map.append("stripe-signature", HeaderValue::from_bytes(header.as_bytes()).unwrap());
    }
    let request = Request { method: &Method::POST, path_token: None, peer: None, query: None, headers: &map, body };
    adapter(Gateway::Stripe).verify(&request, keys, Timestamp::from_seconds(clock).unwrap())
}

fn verify(header: &str, clock: i64) -> Result<Proof, Rejection> {
    verify_with(&keys(&[S1]), &[header], A.as_bytes(), clock)
}

#[allow(clippy::unnecessary_wraps, reason = "compared with what verification returns")]
fn proved_by(secret: &str) -> Result<Proof, Rejection> {
    Ok(Proof::Signed { secret: Secret::new(secret).unwrap().name().clone() })
}

#[test]
fn every_known_answer_holds_and_names_the_secret_that_matched() {
    let answers = [
        (A, 42, A_S1, A_S2),
        (
            B,
            51,
            "fa0b5ccf7817f153d5f82b42b3e550fd47d0d5ed0eceffd9a2a99d68c4baca04",
            "e8c31bb48834b3c68934fd066c21fd4104688d21fbd0f474171eccd3cb54eafe",
        ),
        (
            C,
            401,
            "b236b9541c559fdfedb387f65e3dc8521d7da46b87a4197b29bbece643fd9429",
            "a603ed7b1ad9dd9af545749d33cf32e240902e8ab2d37fdf3c100d5a4c364ba8",
        ),
        (
            D,
            317,
            "71617613caf10b8ca5d51688e387a5c5ba24550c954abb423bcae4d606b3deac",
            "06f5a39ec6dddab5a215611499dfbe30349d31fa4b2aac6a9a7fa782192a6447",
        ),
    ];
    for (body, length, by_s1, by_s2) in answers {
        assert_eq!(body.len(), length);
        for (secret, answer) in [(S1, by_s1), (S2, by_s2)] {
            let header = format!("t={T},v1={answer}");
            assert_eq!(sign(&Secret::new(secret).unwrap(), T, body.as_bytes()), header);
            assert_eq!(verify_with(&keys(&[S1, S2]), &[&header], body.as_bytes(), T), proved_by(secret));
            let other = if secret == S1 { S2 } else { S1 };
            let refused = verify_with(&keys(&[other]), &[&header], body.as_bytes(), T);
            assert_eq!(refused, Err(Rejection::WrongSignature { secrets: 1 }));
        }
    }
}

#[test]
fn rows_1_to_4_the_window_is_closed_on_both_sides_and_open_at_its_ends() {
    let header = format!("t={T},v1={A_S1}");
    for clock in [T, T + 10, T + 300, T - 300] {
        assert_eq!(verify(&header, clock), proved_by(S1), "{clock}");
    }
    assert_eq!(verify(&header, T + 301), Err(Rejection::TooOld { age_seconds: 301, limit_seconds: 300 }));
    assert_eq!(verify(&header, T - 10_000), Err(Rejection::FromFuture { ahead_seconds: 10_000, limit_seconds: 300 }));
    assert_eq!(verify(&header, T - 301), Err(Rejection::FromFuture { ahead_seconds: 301, limit_seconds: 300 }));
    let mut exact = keys(&[S1]);
    exact.tolerance_seconds = 0;
    assert_eq!(verify_with(&exact, &[&header], A.as_bytes(), T), proved_by(S1));
    assert!(verify_with(&exact, &[&header], A.as_bytes(), T + 1).is_err());
}

#[test]
fn row_5_any_of_several_signatures_is_enough() {
    for header in [format!("t={T},v1={A_S2},v1={A_S1}"), format!("t={T},v1={A_S1},v1={A_S2}")] {
        assert_eq!(verify_with(&keys(&[S1]), &[&header], A.as_bytes(), T), proved_by(S1));
        assert_eq!(verify_with(&keys(&[S2]), &[&header], A.as_bytes(), T), proved_by(S2));
    }
    assert_eq!(verify(&format!("t={T},v1={A_S1},v1={A_S1}"), T), proved_by(S1), "the same one twice");
}

#[test]
fn headers_that_hold_in_spite_of_their_looks() {
    let upper = A_S1.to_uppercase();
    for (row, header) in [
        (6, format!("t={T},v1={A_S1},v0=anything")),
        (8, format!("t={T},v1={upper}")),
        (18, format!("t={T},v1={A_S1},")),
        (20, format!("t={T},nothing,v1={A_S1}")),
        (29, format!("v1={A_S1},t={T}")),
    ] {
        assert_eq!(verify(&header, T), proved_by(S1), "row {row}");
    }
}

#[test]
fn headers_that_do_not_hold() {
    let malformed = |expected| Rejection::MalformedSignature { expected };
    let (one_t, no_t, digits) = (malformed("one t"), malformed("a t"), malformed("t in digits without a leading zero"));
    let unusable = Rejection::UnusableSignature { expected: "a v1 signature of 64 hex digits" };
    let rows = [
        (7, format!("t={T},v0={A_S1}"), unusable),
        (9, format!("t={T},v1={}", &A_S1[..63]), unusable),
        (10, format!("t={T},v1="), unusable),
        (11, format!("v1={A_S1}"), no_t),
        (12, format!("t=abc,v1={A_S1}"), digits),
        (13, format!("t={T}000,v1={A_S1}"), malformed("t in seconds since 1970")),
        (14, format!("t={T},t=1,v1={A_S1}"), one_t),
        (15, format!("t=1,t={T},v1={A_S1}"), one_t),
        (16, format!("t={T}, v1={A_S1}"), Rejection::RewrittenHeader),
        (17, format!(" t={T},v1={A_S1}"), Rejection::RewrittenHeader),
        (19, format!("t={T},v1={A_S1}="), unusable),
        (19, format!("t={T},v1={A_S1}=x"), unusable),
        (21, format!("t=+{T},v1={A_S1}"), digits),
        (21, format!("t=0{T},v1={A_S1}"), digits),
        (22, format!("t={T}abc,v1={A_S1}"), digits),
        (23, format!("t={T},V1={A_S1}"), unusable),
        (28, String::new(), no_t),
        (28, "bad_header".to_owned(), no_t),
    ];
    for (row, header, rejection) in rows {
        assert_eq!(verify(&header, T), Err(rejection), "row {row}: {header}");
    }
    let far = malformed("t in seconds since 1970");
    assert_eq!(verify(&format!("t={},v1={A_S1}", "9".repeat(30)), T), Err(far));
    let many = format!("t={T}{}", format!(",v1={A_S2}").repeat(17));
    assert_eq!(verify(&many, T), Err(malformed("at most 16 signatures")));
}

#[test]
fn row_24_and_28_the_bytes_that_were_signed_and_no_others() {
    let header = format!("t={T},v1={A_S1}");
    let refused = |body: &[u8]| verify_with(&keys(&[S1]), &[&header], body, T);
    assert_eq!(refused(format!("{A}\n").as_bytes()), Err(Rejection::WrongSignature { secrets: 1 }));
    assert_eq!(refused(b""), Err(Rejection::EmptyBody));
    for index in 0..A.len() {
        let mut changed = A.as_bytes().to_vec();
        changed[index] ^= 1;
        assert_eq!(refused(&changed), Err(Rejection::WrongSignature { secrets: 1 }), "byte {index}");
    }
    let latin = b"{\"name\":\"Jos\xe9\"}";
    let signed = sign(&Secret::new(S1).unwrap(), T, latin);
    assert_eq!(verify_with(&keys(&[S1]), &[&signed], latin, T), proved_by(S1), "bytes are signed, not text");
}

#[test]
fn rows_25_to_27_the_whole_secret_is_the_key_and_an_empty_one_is_none() {
    let header = format!("t={T},v1={A_S1}");
    assert!(verify_with(&keys(&["test_secret"]), &[&header], A.as_bytes(), T).is_err());
    assert_eq!(verify_with(&keys(&[&format!("{S1}\n")]), &[&header], A.as_bytes(), T), proved_by(S1));
    for empty in ["", " ", "\n", "\t\r\n"] {
        assert!(Secret::new(empty).is_err(), "{empty:?}");
    }
    assert!(Secret::new("whsec_").is_err());
    assert!(!format!("{:?}", Secret::new(S1).unwrap()).contains("test_secret"));
}

#[test]
fn a_header_that_is_missing_repeated_or_unreadable_is_refused() {
    let header = format!("t={T},v1={A_S1}");
    assert_eq!(verify_with(&keys(&[S1]), &[], A.as_bytes(), T), Err(Rejection::NoSignature));
    assert_eq!(verify_with(&keys(&[S1]), &[&header, &header], A.as_bytes(), T), Err(Rejection::RepeatedHeader));
    let refused = verify_with(&keys(&[S1]), &[&format!("{header},é=1")], A.as_bytes(), T);
    assert_eq!(refused, Err(Rejection::MalformedSignature { expected: "visible ASCII" }));
}
