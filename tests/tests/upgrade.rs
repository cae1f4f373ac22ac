//! A data folder of the first landed version (`scripts/first-data`), opened by the version of today.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use afluente_tests::{Shop, wait_until};
use rusqlite::Connection;
use serde_json::Value;

/// Deliveries that were acknowledged and had not been handled when that version was killed.
const HELD: usize = 6;

fn kept() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/first"))
}

/// Its folder, listening on free ports.
fn first() -> Shop {
    let shop = Shop::of(kept(), "secrets/stripe-shop");
    shop.configure("127.0.0.1:8420", "127.0.0.1:0");
    shop.configure("127.0.0.1:8421", "127.0.0.1:0");
    shop
}

fn paid_of_the_held(shop: &Shop) -> i64 {
    let ledger = Connection::open(shop.data().join("ledger.sqlite")).unwrap();
    let query = "select count(*) from payments where provider_payment_id like 'pi_held_%' and status_v2 = 'SUCCEEDED'";
    ledger.query_row(query, [], |row| row.get(0)).unwrap()
}

/// Payments by their id at the gateway.
fn by_id(payments: &Value) -> BTreeMap<String, Value> {
    let id = |payment: &Value| payment["provider_payment_id"].as_str().unwrap().to_owned();
    payments.as_array().unwrap().iter().map(|payment| (id(payment), payment.clone())).collect()
}

#[test]
fn what_was_acknowledged_is_handled_and_every_payment_is_what_it_was() {
    let shop = first();
    let up = shop.up();
    wait_until("what was in the queue is in the ledger", || paid_of_the_held(&shop) == i64::try_from(HELD).unwrap());

    let before = by_id(&serde_json::from_slice(&std::fs::read(kept().join("payments.json")).unwrap()).unwrap());
    let now = by_id(&shop.run(&["payments", "list", "--limit", "1000", "--json"]).expect(0).json());
    assert_eq!((before.len(), now.len()), (12, 12 + HELD));
    for (id, before) in before {
        for (field, was) in before.as_object().unwrap() {
            assert_eq!(&now[&id][field], was, "{field} of {id}");
        }
    }
    // A new one beside the old ones, and one of the old ones again: it had been seen.
    assert!(shop.deliver(up.ingress, &Shop::paid("today", 700)).is_acknowledged());
    wait_until("the new one is there", || shop.run(&["payments", "show", "pi_today"]).code == 0);
    assert_eq!(up.terminate().0, 0);
}

#[test]
fn migrated_and_rebuilt_it_is_clean_and_nothing_in_it_is_damaged() {
    let shop = first();
    let said = shop.run(&["check"]).expect(3);
    assert!(said.err.contains("`afluente migrate`"), "{said:?}");
    let said = shop.run(&["migrate"]).expect(0);
    assert!(said.out.contains("from 1 to"), "{said:?}");
    shop.run(&["check"]).expect(0);
    // It made nothing of people yet; of payments and what was said of them nothing differs.
    let found = shop.run(&["rebuild", "--check", "--json"]).expect(1).json();
    let differences = found["differences"].as_array().unwrap();
    let kind = |one: &Value| one["entity"].as_str().unwrap().split(' ').next().unwrap().to_owned();
    let kinds: BTreeSet<String> = differences.iter().map(kind).collect();
    assert_eq!(kinds, ["claim", "identity", "method", "relation", "session"].map(str::to_owned).into());
    shop.run(&["rebuild", "--apply", "--yes"]).expect(0);
    shop.run(&["rebuild", "--check"]).expect(0);
    shop.run(&["check", "--deep"]).expect(0);
    let up = shop.up();
    wait_until("what was in the queue is in the ledger", || paid_of_the_held(&shop) == i64::try_from(HELD).unwrap());
    shop.run(&["rebuild", "--check"]).expect(0);
    assert_eq!(up.terminate().0, 0);
    shop.run(&["check", "--deep"]).expect(0);
}

#[test]
fn its_dead_letter_is_shown_and_replayed() {
    let shop = first();
    let up = shop.up();
    let letters = shop.run(&["dead", "list", "--json"]).expect(0).json();
    assert_eq!(letters.as_array().unwrap().len(), 1, "{letters}");
    let id = letters[0]["id"].as_str().unwrap();
    assert!(shop.run(&["dead", "show", id]).expect(0).out.contains("expected a text in type"));
    shop.run(&["dead", "replay", id]).expect(0);
    // It is as wrong as it was: a letter again, in today's form.
    wait_until("it is buried again", || {
        let letters = shop.run(&["dead", "list", "--json"]).expect(0).json();
        letters.as_array().unwrap().iter().any(|letter| letter["id"] != id && letter["body_sha256"].is_string())
    });
    assert_eq!(up.terminate().0, 0);
}

#[test]
fn a_request_of_another_version_is_answered_with_what_was_expected() {
    let shop = Shop::new();
    let up = shop.up();
    let ask = |line: &str| {
        let mut socket = UnixStream::connect(shop.data().join("control.sock")).unwrap();
        socket.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()
    };
    for line in ["{\"do\":\"of_tomorrow\"}\n", "{\"do\":\"discard\",\"ids\":7}\n", "discard\n", "\n"] {
        let answer = ask(line);
        assert!(answer["Err"].as_str().unwrap().starts_with("expected a control request"), "{line}: {answer}");
    }
    assert_eq!(ask("{\"do\":\"repair_gaps\"}\n")["Ok"]["open"], 0, "it goes on");
    assert_eq!(up.terminate().0, 0);
}

/// Every function of every test, of the whole repository.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            tests(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
            found.extend(names.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_test_that_the_table_of_formats_names_is_there() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let table = std::fs::read_to_string(root.join("docs/formats.md")).unwrap();
    let mut found = BTreeSet::new();
    for folder in ["crates", "tests"] {
        tests(&root.join(folder), &mut found);
    }
    let named: Vec<&str> = table.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() > 3).collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        let whole = name.trim_end_matches('…');
        let is_there = found.iter().any(|one| if whole == name { one == name } else { one.starts_with(whole) });
        assert!(is_there, "docs/formats.md names {name}, which is no test");
    }
}
