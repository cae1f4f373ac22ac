//! Whatever is signed, reading it never panics, and what it asserts keeps the adapter's promises.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "golden/case.rs"]
#[allow(dead_code, reason = "the golden runner uses the rest")]
mod case;
#[path = "golden/gateway.rs"]
#[allow(dead_code, reason = "the golden runner uses the rest")]
mod gateway;

use std::collections::BTreeSet;

use afluente_gateways::{Malformed, Reading};
use afluente_model::{fold, project, project_subscription};
use case::{Body, Case};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Every body of every case, posted or answered.
struct Bodies(Vec<Case>, Vec<(usize, usize)>);

/// One of them, with the case it stands in.
#[derive(Clone, Copy)]
struct One<'a> {
    case: &'a Case,
    body: &'a Body,
}

impl Bodies {
    fn all() -> Bodies {
        let cases = Case::all();
        let places = cases.iter().enumerate().flat_map(|(at, case)| (0..case.bodies.len()).map(move |body| (at, body)));
        let places = places.collect();
        Bodies(cases, places)
    }

    fn pick(&self, which: prop::sample::Index) -> One<'_> {
        let (case, body) = self.1[which.index(self.1.len())];
        One { case: &self.0[case], body: &self.0[case].bodies[body] }
    }

    fn each(&self) -> impl Iterator<Item = One<'_>> {
        self.0.iter().flat_map(|case| case.bodies.iter().map(move |body| One { case, body }))
    }
}

impl One<'_> {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body.bytes).ok().filter(Value::is_object).unwrap_or_else(|| json!({}))
    }

    /// What these bytes say in its place.
    fn read(&self, bytes: &[u8]) -> Result<Reading, Malformed> {
        self.case.read_as(self.body, bytes, gateway::proof(self.case.gateway))
    }
}

/// Whether no id made a path of its own: what is not encoded is a letter, a digit or stands for nothing else.
fn is_plain(path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'%' | b'*');
    path.bytes().all(is_plain) && path.split('/').all(|segment| segment != "." && segment != "..")
}

/// What holds for every reading of every body.
fn keeps_its_promises(one: One<'_>, bytes: &[u8]) {
    let reading = one.read(bytes);
    assert_eq!(reading, one.read(bytes), "reading is a function of the envelope");
    let reading = match reading {
        Ok(reading) => reading,
        Err(error) => {
            assert!(error.to_string().len() < 120, "an error carries our words only: {error}");
            return;
        }
    };
    let conventions = one.case.adapter().profile().conventions;
    for (_, fact) in &reading.facts {
        assert_eq!(fact.at, fact.at.map(|at| at.cut_to(conventions.resolution)));
        assert!(reading.latest >= fact.at && reading.latest >= fact.op_at);
    }
    for want in &reading.wants {
        let safe = want.id.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        for api in one.case.adapter().profile().apis {
            let calls = one.case.adapter().lookup(want, api);
            let is_fit = calls.as_ref().map_or(true, |calls| calls.iter().all(|call| is_plain(&call.asked.path)));
            assert!(safe || is_fit, "{want:?}");
            assert!(calls.is_err() || calls.is_ok_and(|calls| !calls.is_empty()));
        }
    }
    for alias in &reading.aliases {
        assert_eq!(alias.payment.tenant, alias.alias.tenant);
    }
    assert!(reading.event_type.len() <= 100 && !reading.event_type.contains(char::is_control));
    assert!(reading.claims.iter().all(|claim| !claim.value.is_empty() && !claim.value.contains(char::is_control)));
    let row = project(&fold(reading.facts.iter().map(|(_, fact)| fact)), conventions);
    assert!(row.amounts.refunded <= row.amounts.captured);
    let _ = project_subscription(&fold(reading.subscriptions.iter().map(|(_, fact)| fact)));
}

/// Values that stand where nobody expects them.
fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(i64::MAX)),
        Just(json!(-1)),
        Just(json!(0)),
        Just(json!("")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{}])),
        Just(json!({"object": "list", "data": [{"id": "x"}, null, 1]})),
        Just(json!({"id": {"id": "pi_1"}})),
        "[a-z_.]{0,20}".prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        prop::sample::select(vec![
            "payment_intent",
            "charge",
            "refund",
            "dispute",
            "review",
            "invoice",
            "invoice_payment",
            "subscription",
            "customer",
            "payment_method",
            "checkout.session",
            "succeeded",
            "failed",
            "canceled",
            "requires_capture",
            "v2.core.event",
            "event",
            "charge.expired",
            "customer.deleted",
            "brl",
            "pi_\u{0}",
            "../x",
            "2026-11-01T00:00:00Z",
        ])
        .prop_map(Value::from),
    ]
}

/// Any JSON at all, over keys that mean something and keys that do not.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        prop::sample::select(vec![
            "id",
            "object",
            "type",
            "data",
            "created",
            "status",
            "amount",
            "livemode",
            "account",
            "context",
            "currency",
            "related_object",
            "payment_intent",
            "charge",
            "refunds",
            "charges",
            "metadata",
            "last_payment_error",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    odd().prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// One change to a valid body.
#[derive(Clone, Debug)]
enum Change {
    Replace(Value),
    Remove,
    Swap(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => odd().prop_map(Change::Replace),
        2 => Just(Change::Remove),
        1 => any::<usize>().prop_map(Change::Swap),
    ]
}

/// Pointers to every value below the root.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    let mut visit = |key: &str, child: &Value| {
        let place = format!("{here}/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push(place.clone());
        places(child, &place, found);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, child)| visit(key, child)),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, child)| visit(&index.to_string(), child)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn changed(body: &mut Value, place: usize, change: Change) {
    let mut found = Vec::new();
    places(body, "", &mut found);
    let Some(at) = found.get(place % found.len().max(1)) else { return };
    match change {
        Change::Replace(value) => *body.pointer_mut(at).unwrap() = value,
        Change::Remove => {
            let (parent, key) = at.rsplit_once('/').unwrap();
            if let Some(Value::Object(parent)) = body.pointer_mut(parent) {
                parent.remove(&key.replace("~1", "/").replace("~0", "~"));
            }
        }
        Change::Swap(other) => {
            let value = body.pointer(&found[other % found.len()]).unwrap().clone();
            *body.pointer_mut(at).unwrap() = value;
        }
    }
}

/// Hundreds of cases in the ordinary run; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    let all = Bodies::all();
    proptest!(config(), |(which in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..400))| {
        keeps_its_promises(all.pick(which), &bytes);
    });
}

#[test]
fn any_json_is_read_without_a_panic() {
    let all = Bodies::all();
    proptest!(config(), |(which in any::<prop::sample::Index>(), value in any_json())| {
        keeps_its_promises(all.pick(which), value.to_string().as_bytes());
    });
}

#[test]
fn any_object_inside_a_valid_event_is_read_without_a_panic() {
    let all = Bodies::all();
    let stripe = all.each().find(|one| one.case.name == "stripe/paid").unwrap();
    proptest!(config(), |(object in any_json(), kind in odd(), created in odd())| {
        let event = json!({"id": "evt_1", "object": "event", "type": kind, "created": created, "data": {"object": object}});
        keeps_its_promises(stripe, event.to_string().as_bytes());
    });
}

#[test]
fn a_valid_body_with_anything_changed_is_read_without_a_panic() {
    let all = Bodies::all();
    let changes = || prop::collection::vec((any::<usize>(), change()), 1..6);
    proptest!(config(), |(which in any::<prop::sample::Index>(), changes in changes())| {
        let one = all.pick(which);
        let mut body = one.json();
        for (place, change) in changes {
            changed(&mut body, place, change);
        }
        keeps_its_promises(one, body.to_string().as_bytes());
    });
}

#[test]
fn a_valid_body_cut_or_doubled_anywhere_is_read_without_a_panic() {
    let all = Bodies::all();
    proptest!(config(), |(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in ".{0,6}")| {
        let one = all.pick(which);
        let text = one.json().to_string();
        let at = text.floor_char_boundary(at.index(text.len()));
        keeps_its_promises(one, &text.as_bytes()[..at]);
        keeps_its_promises(one, format!("{}{with}{}", &text[..at], &text[at..]).as_bytes());
    });
}

/// What a reading says about money, without the words beside it.
fn money(reading: &Reading) -> BTreeSet<String> {
    let said = reading.facts.iter().map(|(payment, fact)| {
        format!("{} {} {:?} {:?} {:?}", payment.id, fact.op, fact.kind, fact.amount, fact.currency)
    });
    said.collect()
}

/// A key that stands twice, wherever the adapter reads it, is refused, noted or read as if it stood once; never guessed.
#[test]
fn a_key_that_stands_twice_is_never_guessed() {
    for one in Bodies::all().each() {
        let event = one.json();
        let once = one.read(event.to_string().as_bytes());
        let object = event.pointer("/data/object").unwrap_or(&event).as_object().cloned().unwrap_or_default();
        for key in object.keys() {
            let twice = format!("{{\"{key}\":\"changed\",{}", &json!(object).to_string()[1..]);
            let body = event.to_string().replace(&json!(object).to_string(), &twice);
            match one.read(body.as_bytes()) {
                Err(Malformed::DuplicateKey { field }) => assert_eq!(field, key),
                Ok(reading) if reading.notes.iter().any(|note| note.field() == key) => {
                    let once = money(once.as_ref().unwrap());
                    assert!(money(&reading).is_subset(&once), "{key} of {}", one.body.name);
                }
                other => assert_eq!(other, once, "{key} of {}", one.body.name),
            }
        }
    }
}
