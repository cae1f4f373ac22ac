//! What is owed and what is there: shares by gateway, against their goals.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_tests::{Shop, event, wait_until};
use serde_json::Value;

fn intent(name: &str, customer: Option<&str>, method: Option<&str>) -> Vec<u8> {
    let word = |value: Option<&str>| value.map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""));
    let object = format!(
        r#"{{"id":"pi_{name}","object":"payment_intent","amount":900,"amount_received":900,"currency":"brl","status":"succeeded","customer":{},"payment_method":{},"created":1790000000}}"#,
        word(customer),
        word(method)
    );
    event(name, "payment_intent.succeeded", &object)
}

fn session(name: &str, intent: &str) -> Vec<u8> {
    let object = format!(
        r#"{{"id":"cs_{name}","object":"checkout.session","mode":"payment","status":"complete","payment_status":"paid","payment_intent":"pi_{intent}","amount_total":900,"currency":"brl","created":1790000000}}"#
    );
    event(&format!("cs{name}"), "checkout.session.completed", &object)
}

/// The shares of a window's line over all gateways, by measure.
fn percent(audit: &Value, window: usize, measure: &str) -> Value {
    let lines = audit["windows"][window]["gateways"].as_array().unwrap();
    lines.last().unwrap()["shares"][measure]["percent"].clone()
}

#[test]
fn the_share_of_what_is_known_is_shown_by_gateway_and_a_red_one_is_an_exit_code() {
    let shop = Shop::new();
    let up = shop.up();
    let bodies = [intent("a", Some("cus_a"), Some("pm_a")), session("a", "a")];
    for body in &bodies {
        assert!(shop.deliver(up.ingress, body).is_acknowledged());
    }
    wait_until("both are in the ledger", || shop.receipts().len() == bodies.len());
    let all_there = shop.run(&["audit", "--json"]).expect(0).json();
    for measure in ["customer", "provider_link", "status_v2", "method", "session_linked"] {
        assert_eq!(percent(&all_there, 0, measure), 100.0, "{measure}: {all_there:#}");
    }

    // Money nobody is known to have paid, and a session whose payment never came.
    let more = [intent("b", None, None), session("lost", "never")];
    for body in &more {
        assert!(shop.deliver(up.ingress, body).is_acknowledged());
    }
    wait_until("all are in the ledger", || shop.receipts().len() == bodies.len() + more.len());
    let run = shop.run(&["audit", "--json"]).expect(1);
    assert!(run.err.contains("STRIPE customer 50.0 % red (all time)"), "{}", run.err);
    let audit = run.json();
    assert_eq!(percent(&audit, 1, "customer"), 50.0);
    assert_eq!(percent(&audit, 1, "session_linked"), 50.0);
    assert_eq!(percent(&audit, 1, "status_v2"), 100.0);
    let table = shop.run(&["audit"]).expect(1).out;
    assert!(table.contains("CUSTOMER (95 %)") && table.contains("50.0 % red"), "{table}");

    // In a window in which nothing happened, and for a merchant who has nothing, nothing is red.
    let elsewhere = shop.run(&["audit", "--merchant", "nobody", "--json"]).expect(0).json();
    assert_eq!(percent(&elsewhere, 0, "customer"), Value::Null);
    let late = shop.run(&["audit", "--since", "0m", "--json"]).expect(1).json();
    assert_eq!(percent(&late, 1, "customer"), Value::Null);
    assert!(shop.run(&["audit", "--since", "soon"]).expect(2).err.contains("expected a time"));
    assert_eq!(up.terminate().0, 0);
}
