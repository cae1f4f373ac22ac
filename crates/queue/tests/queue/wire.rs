//! The sealed message: read back as it was written, or not at all.

use afluente_model::{AccountName, Delivery, DeliveryId, Gateway, Proof, SecretName, Timestamp};
use afluente_queue::{SealKey, SealKeys, Undecodable};
use afluente_testkit::fuzz::{fuzz, mutated};
use bytes::Bytes;
use proptest::prelude::*;
use rand::RngExt;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::site::{delivery, keys};

/// A delivery with every field filled, none as in [`delivery`].
fn other() -> Delivery {
    Delivery {
        id: DeliveryId(Uuid::from_u128(0xf00d)),
        gateway: Gateway::Pagarme,
        account: AccountName::parse("shop-2").unwrap(),
        received_at: Timestamp::from_micros(1_790_000_000_000_001).unwrap(),
        proof: Proof::Channel { peer: "bank.example".into() },
        headers: vec![("x-hub-signature".into(), "sha1=00".into()), ("digest".into(), "é\u{0}\"".into())],
        query: Some("data.id=1".into()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        released_by: Some("maria".into()),
        body: Bytes::from_static(b"{\"other\":true}"),
    }
}

fn one() -> Delivery {
    delivery(Gateway::Stripe, 1, b"{\"id\":\"evt_1\"}")
}

/// The sealed head of `one`, changed.
fn changed(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Result<Delivery, Undecodable> {
    let sealed = keys().seal(&one());
    let mut head: Value = serde_json::from_slice(&sealed.head).unwrap();
    change(head.as_object_mut().unwrap());
    keys().open(&serde_json::to_vec(&head).unwrap(), sealed.body)
}

#[test]
fn the_format_is_what_it_was_when_it_was_first_written_down() {
    let sealed = keys().seal(&other());
    let head: Value = serde_json::from_slice(&sealed.head).unwrap();
    let expected = json!({
        "version": 1,
        "id": "00000000-0000-0000-0000-00000000f00d",
        "gateway": "pagarme",
        "account": "shop-2",
        "received_at_micros": 1_790_000_000_000_001_i64,
        "proof": "channel",
        "proof_detail": "bank.example",
        "headers": [["x-hub-signature", "sha1=00"], ["digest", "é\u{0}\""]],
        "query": "data.id=1",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "released_by": "maria",
        "body_sha256": "dbcbb05208bbb6cc1181867c1498e0e60dcbe6e4097bbada64fe1408114fa81b",
        "seal": "57a5d56b3b1d87f4c9ae609e59ee39d5d1028d5793ea9bee14fd74868c119478",
    });
    assert_eq!(head, expected);
}

/// The first version sealed the body's length as well. What it left in a queue is still opened, and changing it is still seen.
#[test]
fn what_the_first_version_sealed_is_opened() {
    let sealed = keys().seal(&other());
    let mut head: Value = serde_json::from_slice(&sealed.head).unwrap();
    head["seal"] = json!("9466ccd9d140f6d53c3b2b4aaee0d0a2d39cbc79a63bccf2d7545c6b0d7934b4");
    let open = |head: &Value, body: &Bytes| keys().open(&serde_json::to_vec(head).unwrap(), body.clone());
    assert_eq!(open(&head, &sealed.body), Ok(other()));
    assert_eq!(open(&head, &Bytes::from_static(b"{\"other\":null}")), Err(Undecodable::ChangedBody { body_bytes: 14 }));
    assert_eq!(open(&head, &Bytes::from_static(b"{}")), Err(Undecodable::BrokenSeal));
    head["account"] = json!("shop-3");
    assert_eq!(open(&head, &sealed.body), Err(Undecodable::BrokenSeal));
}

#[test]
fn every_field_taken_from_another_message_breaks_the_seal() {
    let theirs: Value = serde_json::from_slice(&keys().seal(&other()).head).unwrap();
    let fields: Vec<String> = theirs.as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields.len(), 13);
    for field in fields.iter().filter(|field| *field != "version") {
        let opened = changed(|head| {
            assert_ne!(head[field], theirs[field], "{field}");
            head.insert(field.clone(), theirs[field].clone());
        });
        let expected = match field.as_str() {
            // These two say one thing together; one of them alone is no proof of its kind.
            "proof_detail" => Undecodable::BadField { field: "proof" },
            _ => Undecodable::BrokenSeal,
        };
        assert_eq!(opened, Err(expected), "{field}");
    }
}

#[test]
fn a_hint_cannot_be_made_a_proof() {
    let mut hint = one();
    hint.proof = Proof::PathToken;
    let sealed = keys().seal(&hint);
    let mut head: Value = serde_json::from_slice(&sealed.head).unwrap();
    head["proof"] = json!("signed");
    head["proof_detail"] = json!("00c0ffee");
    assert_eq!(keys().open(&serde_json::to_vec(&head).unwrap(), sealed.body), Err(Undecodable::BrokenSeal));
}

#[test]
fn a_missing_doubled_unknown_or_senseless_field_is_named_or_refused() {
    for field in ["id", "gateway", "account", "received_at_micros", "proof", "headers", "body_sha256", "seal"] {
        let opened = changed(|head| drop(head.remove(field)));
        assert_eq!(opened, Err(Undecodable::BadField { field: "head" }), "{field}");
    }
    assert_eq!(
        changed(|head| drop(head.insert("extra".into(), json!(1)))),
        Err(Undecodable::BadField { field: "head" })
    );
    for (field, value) in [
        ("id", json!("not an id")),
        ("gateway", json!("acquirer")),
        ("account", json!("../etc")),
        ("received_at_micros", json!(-1)),
        ("proof", json!("believe me")),
        ("seal", json!("short")),
        ("body_sha256", json!("")),
    ] {
        assert_eq!(changed(|head| drop(head.insert(field.into(), value))), Err(Undecodable::BadField { field }));
    }
    let sealed = keys().seal(&one());
    let doubled = String::from_utf8(sealed.head.to_vec()).unwrap().replacen('{', "{\"account\":\"shop-9\",", 1);
    assert_eq!(keys().open(doubled.as_bytes(), sealed.body), Err(Undecodable::BadField { field: "head" }));
}

#[test]
fn another_version_is_told_from_a_broken_head_whatever_else_is_in_it() {
    for found in [0, 2, u64::MAX] {
        let opened = changed(|head| {
            head.insert("version".into(), json!(found));
            head.insert("new_field".into(), json!({}));
        });
        assert_eq!(opened, Err(Undecodable::UnknownVersion { found, supported: 1 }));
    }
    for head in ["", "{}", "null", "{\"version\":\"1\"}", "{\"version\":-1}", "{\"version\":1,", "\u{1}\u{2}", "[]"] {
        let opened = keys().open(head.as_bytes(), Bytes::new());
        assert_eq!(opened, Err(Undecodable::NotOurs { head_bytes: head.len() }), "{head}");
    }
}

#[test]
fn a_changed_body_is_told_from_changed_headers() {
    let sealed = keys().seal(&one());
    for body in [&b""[..], b"{\"id\":\"evt_2\"}", b"{\"id\":\"evt_1\"} ", b"{\"id\":\"evt_1\""] {
        let opened = keys().open(&sealed.head, Bytes::copy_from_slice(body));
        assert_eq!(opened, Err(Undecodable::ChangedBody { body_bytes: body.len() }));
    }
    let theirs = keys().seal(&other());
    let both = changed(|head| {
        let theirs: Value = serde_json::from_slice(&theirs.head).unwrap();
        head.insert("body_sha256".into(), theirs["body_sha256"].clone());
    });
    assert_eq!(both, Err(Undecodable::BrokenSeal));
}

#[test]
fn another_key_does_not_open_and_a_rotated_one_does() {
    let (old, new) = (SealKey::from_bytes([1; 32]), SealKey::from_bytes([2; 32]));
    let sealed = SealKeys::new(old.clone(), []).seal(&one());
    let with = |keys: SealKeys| keys.open(&sealed.head, sealed.body.clone());
    assert_eq!(with(SealKeys::new(new.clone(), [])), Err(Undecodable::BrokenSeal));
    assert_eq!(with(SealKeys::new(new.clone(), [old.clone()])), Ok(one()));
    let resealed = SealKeys::new(new.clone(), [old]).seal(&one());
    assert_eq!(SealKeys::new(new, []).open(&resealed.head, resealed.body), Ok(one()), "the first key seals");
}

#[test]
fn nothing_of_a_message_shows_in_its_debug_text_or_its_errors() {
    let mut secret = one();
    secret.body = Bytes::from_static(b"hunter2");
    secret.headers = vec![("x".into(), "hunter2".into())];
    let sealed = keys().seal(&secret);
    let error = keys().open(&sealed.head, Bytes::from_static(b"hunter2hunter2")).unwrap_err();
    let shown = format!("{sealed:?} {error} {error:?} {:?}", keys());
    assert!(!shown.contains("hunter2"), "{shown}");
    let of_sealed = format!("head_bytes: {}, body_bytes: 7 }}", sealed.head.len());
    assert!(shown.starts_with("Sealed { id: ") && shown.contains(&of_sealed), "{shown}");
}

#[test]
fn every_reason_to_refuse_a_message_has_a_word_of_its_own() {
    let refused = [
        Undecodable::NotOurs { head_bytes: 1 },
        Undecodable::UnknownVersion { found: 2, supported: 1 },
        Undecodable::BadField { field: "id" },
        Undecodable::BrokenSeal,
        Undecodable::ChangedBody { body_bytes: 1 },
    ];
    let words = refused.map(|refused| refused.word());
    assert_eq!(words, ["not_ours", "unknown_version", "bad_field", "broken_seal", "changed_body"]);
}

fn any_delivery() -> impl Strategy<Value = Delivery> {
    let text = || any::<String>().prop_map(String::into_boxed_str);
    let proof = prop_oneof![
        "[0-9a-f]{8}".prop_map(|name| Proof::Signed { secret: SecretName::parse(&name).unwrap() }),
        text().prop_map(|peer| Proof::Channel { peer }),
        Just(Proof::PathToken),
        Just(Proof::None),
    ];
    let names = (any::<u128>(), 0..Gateway::ALL.len(), "[a-z0-9][a-z0-9_-]{0,62}", 0..253_402_300_800_000_000_i64);
    let kept = (
        prop::collection::vec((text(), text()), 0..6),
        prop::option::of(text()),
        prop::option::of(text()),
        prop::option::of(text()),
        prop::collection::vec(any::<u8>(), 0..400),
    );
    (names, proof, kept).prop_map(|((id, gateway, account, micros), proof, kept)| {
        let (headers, query, traceparent, released_by, body) = kept;
        Delivery {
            id: DeliveryId(Uuid::from_u128(id)),
            gateway: Gateway::ALL[gateway],
            account: AccountName::parse(&account).unwrap(),
            received_at: Timestamp::from_micros(micros).unwrap(),
            proof,
            headers,
            query,
            traceparent,
            released_by,
            body: body.into(),
        }
    })
}

/// Heads that were sealed once, changed: none is taken for another.
#[test]
fn heads_with_anything_changed_are_refused_or_say_what_they_said() {
    let words: [&[u8]; 8] =
        [b"\"version\":1", b"\"proof\":\"signed\"", b"\"none\"", b"null", b"[]", b"{}", b",", b"\\u0000"];
    let known = [one(), other()];
    let sealed: Vec<_> = known.iter().map(|delivery| keys().seal(delivery)).collect();
    fuzz("the wire format", |random| {
        let which = random.random_range(0..known.len());
        let head = mutated(random, &sealed[which].head, &words);
        if let Ok(opened) = keys().open(&head, sealed[which].body.clone()) {
            assert_eq!(opened, known[which]);
        }
    });
}

proptest! {
    #[test]
    fn any_delivery_comes_back_as_it_was(delivery in any_delivery()) {
        let sealed = keys().seal(&delivery);
        prop_assert_eq!(sealed.id, delivery.id);
        prop_assert_eq!(sealed.gateway, delivery.gateway);
        prop_assert_eq!(keys().open(&sealed.head, sealed.body), Ok(delivery));
    }

    #[test]
    fn any_changed_byte_is_noticed_or_changes_nothing(delivery in any_delivery(), at: prop::sample::Index, to: u8) {
        let sealed = keys().seal(&delivery);
        let mut head = sealed.head.to_vec();
        let at = at.index(head.len());
        head[at] = to;
        if let Ok(opened) = keys().open(&head, sealed.body) {
            prop_assert_eq!(opened, delivery);
        }
    }

    #[test]
    fn any_bytes_for_a_head_are_refused_without_a_panic(
        head in prop::collection::vec(any::<u8>(), 0..300),
        body in prop::collection::vec(any::<u8>(), 0..10),
    ) {
        prop_assert!(keys().open(&head, body.into()).is_err());
    }
}
