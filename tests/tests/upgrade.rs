//! A data folder of the first landed version (`scripts/first-data`), opened by the version of today.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
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
