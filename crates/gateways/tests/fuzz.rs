//! Every adapter's verification and reading, signed answers and certificates, under a fuzzer: no panic, no hang, no growth, and nothing
//! unproved is believed.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "golden/case.rs"]
#[allow(dead_code, reason = "the golden runner uses the rest")]
mod case;
#[path = "golden/gateway.rs"]
#[allow(dead_code, reason = "the golden runner uses the rest")]
mod gateway;

use std::sync::Arc;

use afluente_gateways::jws::{Expected, verify};
use afluente_gateways::{
    Authorities, Certificates, Credential, Credentials, KeySet, Request, Secret, SecretForm, UnknownRevocation,
    adapters,
};
use afluente_model::{Gateway, Proof, Timestamp};
use afluente_testkit::fuzz::{fuzz, mutated, pick};
use case::Case;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rand::RngExt;
use rand::rngs::StdRng;

const CLOCK: i64 = 1_764_000_000;
const LEAF: &str = include_str!("keys/icp-leaf.pem");
const ROOT: &str = include_str!("keys/icp-root.pem");
const JWS: &str = include_str!("keys/jws-a1.txt");
const KEY: &str = include_str!("keys/jws-key.json");

/// What bodies and headers of some gateway are made of.
const WORDS: &[&[u8]] = &[
    b"\"id\":",
    b"\"data\":{",
    b"null",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b"0.1",
    b"\"\"",
    b"[",
    b"{",
    b"}",
    b"\\ud800",
    b"\\u0000",
    b"\xff",
    b"\"status\":\"paid\"",
    b"\"status\":\"aceito\"",
    b"\"amount\":",
    b"\"type\":\"charge.refunded\"",
    b"\"pix\":[",
    b"\"eventType\":\"X\"",
    b"t=1,v1=",
    b"ts=1,v1=",
    b"kid=",
    b"alg=none",
    b"sha1=",
    b"%2F",
    b"..",
    b"&",
    b"=",
    b"hmac=",
    b"open-banking/webhook/v1/payments/v4/consents/",
    b"2025-02-30T25:61:61Z",
    b"urn:a:b",
];

const HEADERS: &[&str] = &[
    "stripe-signature",
    "x-signature",
    "x-request-id",
    "x-webhook-asymmetric-signature",
    "x-hub-signature",
    "authorization",
    "transfeera-signature",
    "x-open-finance-signature",
    "x-webhook-interaction-id",
    "content-type",
    "user-agent",
];

fn everything() -> Credentials {
    let secret = || Secret::new("whsec_golden_secret").unwrap();
    let keys = KeySet::default();
    keys.replace(format!("{{\"keys\":[{KEY}]}}").as_bytes()).unwrap();
    let all = vec![
        Credential::Hmac(secret()),
        Credential::PathToken(secret()),
        Credential::Login(Secret::pasted("user:password", &SecretForm::LOGIN).unwrap()),
        Credential::Authorities(Arc::new(Authorities::from_pem(ROOT.as_bytes()).unwrap())),
        Credential::Keys(keys),
    ];
    Credentials::new(all, 300)
}

/// A request of the gateway's with anything changed, or one of nothing but chance.
fn posted(random: &mut StdRng, case: &Case, secret: &Secret) -> gateway::Posted {
    let body = &case.bodies[random.random_range(0..case.bodies.len())];
    let signed = body.is_signed() && random.random_bool(0.7);
    let mut posted = if signed {
        gateway::posted(case.gateway, secret, CLOCK, body)
    } else {
        gateway::Posted { query: body.query().map(str::to_owned), headers: HeaderMap::new(), body: body.bytes.clone() }
    };
    for _ in 0..random.random_range(0..3) {
        let name = HeaderName::from_bytes(pick(random, HEADERS).as_bytes()).unwrap();
        let before = posted.headers.get(&name).map(|value| value.as_bytes().to_vec()).unwrap_or_default();
        if let Ok(value) = HeaderValue::from_bytes(&mutated(random, &before, WORDS)) {
            posted.headers.append(name, value);
        }
    }
    if random.random_bool(0.5) {
        posted.body = mutated(random, &posted.body, WORDS);
    }
    let query = posted.query.clone().unwrap_or_default();
    if random.random_bool(0.3) {
        posted.query = String::from_utf8(mutated(random, query.as_bytes(), WORDS)).ok();
    }
    posted
}

#[test]
fn requests_with_anything_changed_are_verified_without_a_panic_and_changed_bytes_are_not_believed() {
    let (cases, credentials) = (Case::all(), everything());
    let secret = Secret::new("whsec_golden_secret").unwrap();
    let peer = Certificates::from_pem(LEAF.as_bytes()).unwrap();
    let known: std::collections::HashSet<&[u8]> =
        cases.iter().flat_map(|case| &case.bodies).map(|body| body.bytes.as_slice()).collect();
    fuzz("verify", |random| {
        let case = &cases[random.random_range(0..cases.len())];
        let request_of = posted(random, case, &secret);
        let path = mutated(random, b"open-banking/webhook/v1/payments/v4/pix/payments/P-1", WORDS);
        let path = String::from_utf8(path).ok().filter(|_| random.random_bool(0.5));
        let request = Request {
            method: &Method::POST,
            path_token: path.as_deref(),
            peer: random.random_bool(0.5).then_some(&peer),
            query: request_of.query.as_deref(),
            headers: &request_of.headers,
            body: &request_of.body,
        };
        let now = Timestamp::from_seconds(CLOCK).unwrap();
        for adapter in adapters(case.gateway) {
            if let Ok(Proof::Signed { .. }) = adapter.verify(&request, &credentials, now)
                && adapter.profile().signs_bodies
            {
                assert!(known.contains(request_of.body.as_slice()), "a body nobody signed is believed");
            }
        }
    });
}

#[test]
fn bodies_and_answers_with_anything_changed_are_read_without_a_panic() {
    let cases = Case::all();
    fuzz("normalise", |random| {
        let case = &cases[random.random_range(0..cases.len())];
        let body = &case.bodies[random.random_range(0..case.bodies.len())];
        let bytes = mutated(random, &body.bytes, WORDS);
        let proof = if random.random_bool(0.2) { Proof::None } else { gateway::proof(case.gateway) };
        let is_unproved = proof == Proof::None && !body.is_answer();
        if let Ok(reading) = case.read_as(body, &bytes, proof) {
            assert!(!is_unproved || reading.facts.is_empty(), "nothing proves it");
            for want in &reading.wants {
                for api in case.adapter().profile().apis {
                    let _ = case.adapter().lookup(want, api);
                }
            }
        }
    });
}

#[test]
fn signed_answers_with_anything_changed_are_never_taken_for_signed() {
    let keys = KeySet::default();
    keys.replace(format!("{{\"keys\":[{KEY}]}}").as_bytes()).unwrap();
    let expected = Expected {
        issuer: "b961c4eb-509d-4edf-afeb-35642b38185d".into(),
        audience: "5a3f2f5e-7b0d-4d2f-9c61-8e1a9d5b6c70".into(),
        tolerance_seconds: 60,
    };
    let now = Timestamp::from_seconds(1_789_648_230).unwrap();
    let message = |token: &[u8]| token.rsplitn(2, |byte| *byte == b'.').nth(1).map(<[u8]>::to_vec);
    let right = message(JWS.trim().as_bytes());
    fuzz("jws", |random| {
        let token = mutated(random, JWS.trim().as_bytes(), &[b".", b"e30", b"=", b"\xff", b"A"]);
        if verify(&token, &keys, &expected, now).is_ok() {
            assert_eq!(message(token.trim_ascii()), right, "what was signed is what it was");
        }
        let _ = keys.replace(&mutated(random, format!("{{\"keys\":[{KEY}]}}").as_bytes(), WORDS));
        keys.replace(format!("{{\"keys\":[{KEY}]}}").as_bytes()).unwrap();
    });
}

#[test]
fn certificates_with_anything_changed_are_never_trusted() {
    let authorities = Authorities::from_pem(ROOT.as_bytes()).unwrap();
    let good = Certificates::from_pem(LEAF.as_bytes()).unwrap();
    let now = Timestamp::from_seconds(1_789_648_230).unwrap();
    let words: [&[u8]; 5] = [b"-----BEGIN CERTIFICATE-----\n", b"\n", b"\x30\x82", b"\x06\x03\x55\x04\x61", b"\0"];
    fuzz("certificates", |random| {
        let changed = Certificates::from_der(mutated(random, good.leaf(), &words));
        if authorities.check(&changed, now).is_ok() {
            assert_eq!(changed.leaf(), good.leaf());
        }
        let text = mutated(random, LEAF.as_bytes(), &words);
        if let Some(peer) = Certificates::from_pem(&text)
            && authorities.check(&peer, now).is_ok()
        {
            assert_eq!(peer.leaf(), good.leaf());
        }
        let _ = Authorities::from_pem(&mutated(random, ROOT.as_bytes(), &words))
            .and_then(|read| read.with_revocations(&text, UnknownRevocation::Deny));
    });
}

#[test]
fn no_gateway_is_left_out() {
    let with_cases: std::collections::BTreeSet<&str> = Case::all().iter().map(|case| case.gateway.slug()).collect();
    assert_eq!(with_cases.len(), Gateway::ALL.len());
}
