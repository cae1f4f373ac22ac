//! Mercado Pago's signature: the known answers and the edge rows, each with what the official libraries do where it differs.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::mercadopago::sign;
use afluente_gateways::{Credential, Credentials, Rejection, Request, Secret, adapter};
use afluente_model::{Gateway, Proof, Timestamp};
use http::{HeaderMap, HeaderValue, Method};

const SECRET: &str = "mp_secret_afluente_0123456789abcdef";
const TEST_SECRET: &str = "mp_secret_afluente_test_mode_00000000";
const R: &str = "2066ca19-c6f1-498a-be75-1923005edd06";
const T: i64 = 1_742_505_638;
const TOKEN: &str = "a-token-of-the-path";

const V1: &str = "8d60b3202e96ea1ce971b282729a1176db365d6f6ce489e146e0068234067674";
const V2: &str = "4723f76474ef2db04c4367d7cfc95ca0e67ffe7cb648084e96aafe98abb2cc4c";
const V3: &str = "3059162b86d97fd8de91c6b6fbfcb6d1d88dd801fcdce5ac64a40fddfffa8742";
const V4: &str = "793b41d279f13b370c121c363ebf64c4c1221338587359ddc5b6a6160801d135";
const V5: &str = "ca2138b12bf69d6e6b64e6a14f96a36d7b9044e3b1a46277f2d2bf2952a6ba63";
const V6: &str = "3521b32c30d22ceb51fb846a47ecd9e463899a328ef6adc5a8afd1ba24a58d65";
const V7: &str = "8e8385b55e96f0386431877a9bbc350cbf609cab88194d18da945278321140ae";
const V8: &str = "cd2e683479b41d3a3bde00d524a4c2065b1b9d1098faa7b8e2a2773bd252bfb0";
const V9: &str = "64065b7ffdeb212403146c7dc6445a626a24e40a1463553c4393d262caac5656";
const V10: &str = "d01faa501172ff30f847164273f0ddf2d94fedfd2bf59e6b3856e615b31f5f43";
const V11: &str = "7b0c0aff8ede62c09a78086d68f000cb47b16ef163076b8a3d4c94846b68aa63";

const ORDER: &str = "ORD01JQ4S4KY8HWQ6NA5PXB65B3D3";
const ORDER_LOWER: &str = "ord01jq4s4ky8hwq6na5pxb65b3d3";

/// A request, and when it comes.
#[derive(Clone)]
struct Case {
    query: String,
    signature: Option<String>,
    request_id: Option<String>,
    token: Option<&'static str>,
    clock: i64,
}

fn case(id: &str, stamp: &str, v1: &str) -> Case {
    Case {
        query: format!("data.id={id}&type=payment"),
        signature: Some(format!("ts={stamp},v1={v1}")),
        request_id: Some(R.to_owned()),
        token: None,
        clock: T,
    }
}

/// Vector 1.
fn one() -> Case {
    case("123456789", "1742505638", V1)
}

impl Case {
    fn signature(self, text: &str) -> Case {
        Case { signature: Some(text.to_owned()), ..self }
    }

    fn verified(&self) -> Result<Proof, Rejection> {
        self.verified_with(&[SECRET])
    }

    fn verified_with(&self, secrets: &[&str]) -> Result<Proof, Rejection> {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &Option<String>| {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        };
        put("x-signature", &self.signature);
        put("x-request-id", &self.request_id);
        let request = Request {
            method: &Method::POST,
            path_token: self.token,
            peer: None,
            query: Some(&self.query),
            headers: &headers,
            body: b"{\"data\":{\"id\":\"anything\"}}",
        };
        let mut all: Vec<Credential> =
            secrets.iter().map(|text| Credential::Hmac(Secret::new(text).unwrap())).collect();
        all.push(Credential::PathToken(Secret::new(TOKEN).unwrap()));
        let now = Timestamp::from_seconds(self.clock).unwrap();
        adapter(Gateway::MercadoPago).verify(&request, &Credentials::new(all, 300), now)
    }
}

#[allow(clippy::unnecessary_wraps, reason = "compared with what verification returns")]
fn proved_by(secret: &str) -> Result<Proof, Rejection> {
    Ok(Proof::Signed { secret: Secret::new(secret).unwrap().name().clone() })
}

fn wrong<T>() -> Result<T, Rejection> {
    Err(Rejection::WrongSignature { secrets: 1 })
}

fn malformed<T>(result: &Result<T, Rejection>) -> bool {
    matches!(result, Err(Rejection::MalformedSignature { .. }))
}

#[test]
fn vectors_1_to_5_and_9_to_11_hold() {
    let example = "bb56a2f1-6aae-46ac-982e-9dcd3581d08e";
    for (number, case) in [
        (1, one()),
        (2, case("123456789", "1742505638683", V2)),
        (3, case(ORDER, "1742505638683", V3)),
        (4, case(ORDER_LOWER, "1742505638683", V4)),
        (5, case("2c938084726fca480172750000000000", "1742505638", V5)),
        (9, case("123456", "1742505638", V9)),
        (10, Case { request_id: Some(example.to_owned()), ..case("123456", "1742505638683", V10) }),
    ] {
        assert_eq!(case.verified(), proved_by(SECRET), "{number}");
    }
    let test_mode = Case { request_id: Some(example.to_owned()), ..case("123456", "1742505638683", V11) };
    assert_eq!(test_mode.verified_with(&[SECRET, TEST_SECRET]), proved_by(TEST_SECRET), "11");
    assert_eq!(test_mode.verified(), wrong(), "11 with the other secret");
}

#[test]
fn vectors_6_to_8_whose_parts_are_missing_are_refused() {
    let without_request_id = Case { request_id: None, ..case("123456789", "1742505638", V6) };
    assert_eq!(without_request_id.verified(), Err(Rejection::RewrittenRequestId), "6");
    let without_id = Case { query: "type=payment".to_owned(), ..case("", "1742505638", V7) };
    assert!(matches!(without_id.verified(), Err(Rejection::MalformedQuery { .. })), "7");
    let with_neither = Case { request_id: None, ..Case { query: String::new(), ..case("", "1742505638", V8) } };
    assert!(matches!(with_neither.verified(), Err(Rejection::MalformedQuery { .. })), "8");
}

#[test]
fn rows_1_to_4_the_window_is_five_minutes_whatever_unit_the_stamp_is_in() {
    for clock in [T, T + 200, T + 300, T - 300] {
        assert_eq!(Case { clock, ..one() }.verified(), proved_by(SECRET), "{clock}");
        let millis = Case { clock, ..case("123456789", "1742505638683", V2) };
        assert_eq!(millis.verified(), proved_by(SECRET), "{clock}, milliseconds");
    }
    let old = Rejection::TooOld { age_seconds: 301, limit_seconds: 300 };
    assert_eq!(Case { clock: T + 301, ..one() }.verified(), Err(old));
    let early = Rejection::FromFuture { ahead_seconds: 301, limit_seconds: 300 };
    assert_eq!(Case { clock: T - 301, ..one() }.verified(), Err(early));
}

#[test]
fn rows_5_to_8_an_id_is_tried_as_it_came_and_in_lower_case() {
    assert_eq!(case(ORDER, "1742505638683", V3).verified(), proved_by(SECRET), "5");
    assert_eq!(case(ORDER, "1742505638683", V4).verified(), proved_by(SECRET), "6");
    assert_eq!(case(ORDER_LOWER, "1742505638683", V4).verified(), proved_by(SECRET), "7");
    assert_eq!(case(ORDER_LOWER, "1742505638683", V3).verified(), wrong(), "8");
}

#[test]
fn rows_9_and_25_a_request_id_that_was_set_anew_is_told_from_a_wrong_secret() {
    let rewritten = Err(Rejection::RewrittenRequestId);
    assert_eq!(case("123456789", "1742505638", V6).verified(), rewritten, "9: it was not there when it was signed");
    assert_eq!(Case { request_id: Some(R.to_uppercase()), ..one() }.verified(), rewritten, "25");
    for other in ["5f4dcc3b5aa765d61d8327deb882cf99", "Root=1-67891233-abcdef012345678912345678", "", "a b"] {
        assert_eq!(Case { request_id: Some(other.to_owned()), ..one() }.verified(), rewritten, "{other}");
    }
    let another = Case { request_id: Some("00000000-c6f1-498a-be75-1923005edd06".to_owned()), ..one() };
    assert_eq!(another.verified(), wrong(), "of the same form nobody can tell it from a wrong secret");
    assert_eq!(one().verified_with(&[TEST_SECRET]), wrong());
}

#[test]
fn rows_11_and_12_blanks_order_and_case_of_the_header_do_not_matter() {
    for text in [
        format!("ts=1742505638, v1={V1}"),
        format!("v1={V1},ts=1742505638"),
        format!("TS=1742505638,V1={V1}"),
        format!(" ts = 1742505638 , v1 = {V1} ,x=y,noise"),
        format!("ts=1742505638,v1={}", V1.to_uppercase()),
    ] {
        assert_eq!(one().signature(&text).verified(), proved_by(SECRET), "{text}");
    }
}

#[test]
fn rows_13_to_20_and_24_a_header_that_is_not_whole_is_refused() {
    for text in [
        format!("ts=1742505638,v1={}", &V1[..62]),
        format!("ts=1742505638,v0={V1}"),
        format!("ts=1742505638,v2={V1}"),
        "ts=1742505638".to_owned(),
    ] {
        let refused = one().signature(&text).verified();
        assert!(matches!(refused, Err(Rejection::UnusableSignature { .. })), "{text}: {refused:?}");
    }
    let zeros = "0".repeat(64);
    for text in [
        format!("ts=1742505638,v1={zeros},v1={V1}"),
        format!("ts=1742505638,v1={V1},v1={zeros}"),
        format!("ts=1,ts=1742505638,v1={V1}"),
        format!("v1={V1}"),
        format!("ts=12x,v1={V1}"),
        format!("ts=,v1={V1}"),
        format!("ts=01742505638,v1={V1}"),
        format!("ts={},v1={V1}", "1".repeat(17)),
        "garbage".to_owned(),
        String::new(),
    ] {
        assert!(malformed(&one().signature(&text).verified()), "{text}");
    }
    assert_eq!(Case { signature: None, ..one() }.verified(), Err(Rejection::NoSignature));
}

#[test]
fn rows_21_26_and_27_an_id_that_could_be_another_with_another_part_is_refused() {
    let refused = |query: &str, request_id: Option<&str>| {
        let case = Case { query: query.to_owned(), request_id: request_id.map(str::to_owned), ..one() };
        matches!(case.verified(), Err(Rejection::MalformedQuery { .. }))
    };
    assert!(refused("data.id=+123456789+&type=payment", Some(R)), "21");
    assert!(refused(&format!("data.id=123456789%3Brequest-id%3A{R}&type=payment"), None), "26, vector 1 would hold");
    assert!(refused("data.id=123456789&data.id=123456789&type=payment", Some(R)), "27");
    assert!(refused("data.id=&type=payment", Some(R)));
    assert!(refused("data_id=123456789&type=payment", Some(R)));
    assert!(refused(&format!("data.id={}&type=payment", "1".repeat(65)), Some(R)));
}

#[test]
fn rows_22_23_and_29_another_id_another_manifest_and_other_letters_match_nothing() {
    assert_eq!(case("123456780", "1742505638", V1).verified(), wrong(), "22");
    // HMAC of the same text without the last semicolon.
    let unfinished = "7eb24a8c09c2cdfe5c412eae7a5671daf195d1b5a0638db507858d9c2c79fd0a";
    assert_eq!(case("123456789", "1742505638", unfinished).verified(), wrong(), "23");
    let letters = one().signature(&format!("ts=1742505638,v1={}", "é".repeat(64))).verified();
    assert!(malformed(&letters), "29: {letters:?}");
}

#[test]
fn an_encoded_id_is_the_id_it_stands_for() {
    let encoded = Case { query: "data.id=%3123456789&type=payment&source_news=webhooks".to_owned(), ..one() };
    assert_eq!(encoded.verified(), proved_by(SECRET));
}

#[test]
fn what_was_really_sent_in_2025_has_the_form_that_is_verified() {
    // Its secret is unknown; that the digest is told apart as a wrong secret shows that everything else is in order.
    let real = Case {
        query: "data.id=138472432031&type=payment".to_owned(),
        signature: Some("ts=1766455693,v1=7f11ca90f24ce57e4acbf3388561e8497d5d7ba5f0114c03a9292ec7420e3b10".to_owned()),
        request_id: Some("d6b0124b-53cc-4f8e-8dff-710d241ac434".to_owned()),
        token: None,
        clock: 1_766_455_694,
    };
    assert_eq!(real.verified(), wrong());
}

#[test]
fn the_old_channel_needs_the_token_of_the_path_and_is_never_more_than_a_hint() {
    let ipn = Case { query: "id=123456789&topic=payment".to_owned(), ..one() };
    assert_eq!(ipn.verified(), Err(Rejection::WrongPathToken), "a signature proves nothing here");
    let unsigned = Case { signature: None, request_id: None, token: Some(TOKEN), ..ipn.clone() };
    assert_eq!(unsigned.verified(), Ok(Proof::PathToken));
    assert_eq!(Case { token: Some("another-token"), ..unsigned.clone() }.verified(), Err(Rejection::WrongPathToken));
    assert_eq!(
        Case { query: "id=123456789".to_owned(), ..unsigned }.verified().err().map(|why| why.word()),
        Some("malformed_query")
    );
}

#[test]
fn one_address_may_take_both_channels_and_a_wrong_token_is_refused_with_either() {
    assert_eq!(Case { token: Some(TOKEN), ..one() }.verified(), proved_by(SECRET));
    assert_eq!(Case { token: Some("another-token"), ..one() }.verified(), Err(Rejection::WrongPathToken));
}

#[test]
fn headers_that_come_twice_are_refused() {
    let mut headers = HeaderMap::new();
    let header = HeaderValue::from_str(&format!("ts=1742505638,v1={V1}")).unwrap();
    headers.append("x-signature", header.clone());
    headers.append("x-request-id", HeaderValue::from_static(R));
    let credentials = Credentials::hmac(Secret::new(SECRET), 300);
    let verify = |headers: &HeaderMap| {
        let query = Some("data.id=123456789&type=payment");
        let request = Request { method: &Method::POST, path_token: None, peer: None, query, headers, body: b"{}" };
        adapter(Gateway::MercadoPago).verify(&request, &credentials, Timestamp::from_seconds(T).unwrap())
    };
    assert_eq!(verify(&headers), proved_by(SECRET));
    let mut twice = headers.clone();
    twice.append("x-signature", header);
    assert_eq!(verify(&twice), Err(Rejection::RepeatedHeader));
    headers.append("x-request-id", HeaderValue::from_static(R));
    assert_eq!(verify(&headers), Err(Rejection::RepeatedHeader));
}

#[test]
fn a_request_id_is_at_most_64_letters_digits_and_dashes_however_well_it_is_signed() {
    let with = |request_id: &str| {
        let signature = sign(&Secret::new(SECRET).unwrap(), T, "123456789", request_id);
        Case { signature: Some(signature), request_id: Some(request_id.to_owned()), ..one() }.verified()
    };
    for request_id in ["a", "A-1", &"a".repeat(64)] {
        assert_eq!(with(request_id), proved_by(SECRET), "{request_id}");
    }
    for request_id in ["a;ts:1", "a b", "a_b", &"a".repeat(65)] {
        assert_eq!(with(request_id), Err(Rejection::RewrittenRequestId), "{request_id}");
    }
}
