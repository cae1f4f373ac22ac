//! Signed answers of holders: known answers, and what must not be believed.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::jws::{BadJws, Expected, verify};
use afluente_gateways::{AccountView, Envelope, KeySet, Reading, Tenants, adapters, read};
use afluente_model::{
    AccountName, Answer, Asked, Conventions, Gateway, Incoming, Mode, ProviderId, Timestamp, WantKind, fold, project,
    project_subscription,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

const A1: &str = include_str!("keys/jws-a1.txt");
const A2: &str = include_str!("keys/jws-a2.txt");
const A4: &str = include_str!("keys/jws-a4.txt");
const A5: &str = include_str!("keys/jws-a5.txt");
const KEY: &str = include_str!("keys/jws-key.json");

const HOLDER: &str = "b961c4eb-509d-4edf-afeb-35642b38185d";
const OURS: &str = "5a3f2f5e-7b0d-4d2f-9c61-8e1a9d5b6c70";
/// 2026-09-17T12:30:30Z
const CLOCK: i64 = 1_789_648_230;

fn keys() -> KeySet {
    let keys = KeySet::default();
    keys.replace(format!("{{\"keys\":[{KEY}]}}").as_bytes()).unwrap();
    keys
}

fn expected() -> Expected {
    Expected { issuer: HOLDER.into(), audience: OURS.into(), tolerance_seconds: 60 }
}

fn check(token: &str, expected: &Expected, clock: i64) -> Result<Box<str>, BadJws> {
    verify(token.as_bytes(), &keys(), expected, Timestamp::from_seconds(clock).unwrap())
}

/// What an answer to this question says.
fn says(kind: WantKind, id: &str, token: &'static str) -> Reading {
    let answer = Answer {
        gateway: Gateway::OpenFinance,
        account: AccountName::parse("bank").unwrap(),
        asked: Asked {
            kind,
            id: ProviderId::parse(id).unwrap(),
            tenant: None,
            context: None,
            path: "/open-banking/x".into(),
            listed: false,
        },
        status: 200,
        received_at: Timestamp::from_seconds(CLOCK + 10_000).unwrap(),
        headers: Vec::new(),
        body: Bytes::from_static(token.as_bytes()),
    };
    let view = AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own };
    read(adapters(Gateway::OpenFinance)[0], &Envelope::of(&Incoming::Answer(answer), &view)).unwrap()
}

fn claims(reading: &Reading) -> Vec<String> {
    reading.claims.iter().map(|claim| format!("{}={}", claim.kind.as_str(), claim.value)).collect()
}

#[test]
fn a1_an_answer_of_the_holder_holds_and_says_what_was_paid() {
    assert_eq!(check(A1, &expected(), CLOCK).as_deref(), Ok("0b9f6a0e-7c1e-4d0f-9f0a-8f6b9e3c2d11"));
    let id = "TXpRMU9UQTROMWhZV2xSU1FUazJSMDl";
    let reading = says(WantKind::Payment, id, A1);
    assert_eq!(reading.facts[0].0.id.as_str(), id);
    let row = project(&fold([&reading.facts[0].1]), Conventions::PLAIN);
    let currency = row.currency.map(|currency| currency.to_string());
    assert_eq!(
        (row.status.as_str(), row.amounts.captured.minor(), currency.as_deref()),
        ("SUCCEEDED", 10_000, Some("BRL"))
    );
    let claims = claims(&reading);
    for expected in ["reference=E0003816620260917123000000000A1b", "order=urn:holdertest:C1DD33123"] {
        assert!(claims.iter().any(|claim| claim == expected), "{expected} in {claims:?}");
    }
}

#[test]
fn a1_is_refused_when_it_is_old_early_or_of_another_holder() {
    assert!(check(A1, &expected(), 1_789_648_206 + 60).is_ok() && check(A1, &expected(), 1_789_648_206 - 60).is_ok());
    assert_eq!(check(A1, &expected(), 1_789_648_320), Err(BadJws::Time { off_seconds: 114, limit_seconds: 60 }));
    assert_eq!(check(A1, &expected(), 1_789_648_106), Err(BadJws::Time { off_seconds: -100, limit_seconds: 60 }));
    let another = Expected { issuer: "e2c1a3d0-0c52-4c4b-9a55-2f2f7a0c7d11".into(), ..expected() };
    assert_eq!(check(A1, &another, CLOCK), Err(BadJws::Issuer));
}

#[test]
fn a2_a_time_that_is_a_text_holds_and_the_subscription_was_revoked() {
    assert_eq!(check(A2, &expected(), 1_789_653_620).as_deref(), Ok("5a8f4a52-51d8-4f0e-8b5c-7a9d0a2f1e03"));
    let reading = says(WantKind::Subscription, "urn:holdertest:RC-77", A2);
    let row = project_subscription(&fold(reading.subscriptions.iter().map(|(_, fact)| fact)));
    assert_eq!(
        (row.base.as_str(), row.reason.map(afluente_model::SubscriptionReason::as_str)),
        ("CANCELED", Some("REVOKED_BY_PAYER"))
    );
    assert!(claims(&reading).contains(&"name=Policarpo Quaresma".to_owned()), "{:?}", claims(&reading));
}

#[test]
fn a3_to_a5_a_changed_payload_another_algorithm_and_another_audience_are_refused() {
    let (message, signature) = A1.trim().rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let changed = payload.replace(r#""amount":"100.00""#, r#""amount":"900.00""#);
    let a3 = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(changed));
    let hash: String = Sha256::digest(&a3).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "ccff2aa64f7b7102197bac6870e237ff78fbdc2fbdffa13aec992c69e158ac46");
    assert_eq!(check(&a3, &expected(), CLOCK), Err(BadJws::Signature));
    assert_eq!(check(A4, &expected(), CLOCK), Err(BadJws::Algorithm));
    assert_eq!(check(A5, &expected(), CLOCK), Err(BadJws::Audience));
}

#[test]
fn what_is_no_signed_answer_is_refused_and_no_header_brings_its_own_key() {
    let (message, signature) = A1.trim().rsplit_once('.').unwrap();
    let (_, payload) = message.split_once('.').unwrap();
    let with = |header: &str| format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode(header));
    let kid = "qfIN1M9rXb1c2gS0m6h2kJzQvXo7p5E3tUwYaLdRnB0";
    for (token, expected_error) in [
        (String::new(), BadJws::Shape),
        ("a.b".to_owned(), BadJws::Shape),
        ("a.b.c.d".to_owned(), BadJws::Shape),
        ("{}".to_owned(), BadJws::Shape),
        (with("{}"), BadJws::Shape),
        (with(&format!(r#"{{"alg":"none","kid":"{kid}"}}"#)), BadJws::Algorithm),
        (with(&format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#)), BadJws::Algorithm),
        (with(&format!(r#"{{"alg":"PS384","kid":"{kid}"}}"#)), BadJws::Algorithm),
        (with(r#"{"alg":"PS256","kid":"nobody"}"#), BadJws::UnknownKey),
        (with(r#"{"alg":"PS256","kid":"nobody","jku":"https://evil.example/jwks","jwk":{}}"#), BadJws::UnknownKey),
        (with(&format!(r#"{{"alg":"PS256","kid":"{kid}","crit":["b64"],"b64":false}}"#)), BadJws::Shape),
        // Another header, even one that means the same, is not what was signed.
        (with(&format!(r#"{{"typ":"JWT","alg":"PS256","kid":"{kid}"}}"#)), BadJws::Signature),
        (format!("{message}."), BadJws::Signature),
        (format!("{message}.{}", "A".repeat(342)), BadJws::Signature),
    ] {
        assert_eq!(check(&token, &expected(), CLOCK), Err(expected_error), "{token}");
    }
}

#[test]
fn a_key_is_used_for_what_it_says_it_is_for() {
    let keys = KeySet::default();
    keys.replace(format!("{{\"keys\":[{}]}}", KEY.replace("PS256", "RS256")).as_bytes()).unwrap();
    let refused = verify(A1.as_bytes(), &keys, &expected(), Timestamp::from_seconds(CLOCK).unwrap());
    assert_eq!(refused, Err(BadJws::Signature));
}
