//! A support desk knows better: customers merged, split and put back, by hand and for the record.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_tests::{Shop, Up, event, wait_until};
use serde_json::Value;

const ANA: &str = "11144477735";
const BIA: &str = "52998224725";

/// A shop with Ana, whose document is known; with somebody who is known by two addresses; and with Bia, who has a document.
fn shop() -> (Shop, Up) {
    let shop = Shop::new();
    let up = shop.up();
    let customer = |id: &str, email: &str, document: Option<&str>| {
        let taxes = document.map(|value| format!(r#","tax_ids":{{"data":[{{"type":"br_cpf","value":"{value}"}}]}}"#));
        let object = format!(r#"{{"id":"{id}","object":"customer","email":"{email}"{}}}"#, taxes.unwrap_or_default());
        event(id, "customer.updated", &object)
    };
    let paid = |id: &str, customer: &str| {
        let object = format!(
            r#"{{"id":"pi_{id}","object":"payment_intent","amount":900,"amount_received":900,"currency":"brl","status":"succeeded","customer":"{customer}"}}"#
        );
        event(&format!("paid_{id}"), "payment_intent.succeeded", &object)
    };
    let bodies = [
        customer("cus_ana", "ana@x.com", Some(ANA)),
        customer("cus_work", "ana@work.com", None),
        customer("cus_home", "ana@home.com", None),
        customer("cus_bia", "bia@x.com", Some(BIA)),
        event("bare", "customer.updated", r#"{"id":"cus_bare","object":"customer","name":"Somebody"}"#),
        paid("1", "cus_work"),
        paid("2", "cus_home"),
        paid("3", "cus_ana"),
    ];
    for body in &bodies {
        assert!(shop.deliver(up.ingress, body).is_acknowledged());
    }
    wait_until("all are in the ledger", || shop.receipts().len() == bodies.len());
    (shop, up)
}

fn json(shop: &Shop, args: &[&str]) -> Value {
    shop.run(&[args, &["--json"]].concat()).expect(0).json()
}

/// The payments of whoever is known by this.
fn payments(shop: &Shop, who: &str) -> Vec<String> {
    let people = json(shop, &["customers", "show", who]);
    let named = |payment: &Value| payment["provider_payment_id"].as_str().unwrap().to_owned();
    let mut all: Vec<String> = people[0]["payments"].as_array().unwrap().iter().map(named).collect();
    all.sort_unstable();
    all
}

#[test]
fn a_customer_is_merged_with_a_preview_beside_a_running_process_and_put_back() {
    let (shop, up) = shop();
    assert_eq!(payments(&shop, ANA), ["pi_3"]);
    let merge = |who: &str, into: &str, more: &[&str]| {
        shop.run(&[&["customers", "merge", who, into, "--by", "caixa", "--because", "she called"], more].concat())
    };
    let preview = merge("ana@work.com", ANA, &["--dry-run"]).expect(0).out;
    assert!(preview.contains("cus_work") && preview.contains("1 payment and 0 subscriptions would move"), "{preview}");
    assert_eq!(payments(&shop, ANA), ["pi_3"], "a preview changes nothing");
    assert_eq!(json(&shop, &["customers", "decisions"]).as_array().unwrap().len(), 0);
    // One person with three addresses; the last by way of the second.
    let made = merge("ana@home.com", "ana@work.com", &[]).expect(0).out;
    assert!(
        made.contains("1 payment and 0 subscriptions moved") && made.contains("customers undo ana@home.com"),
        "{made}"
    );
    assert_eq!(payments(&shop, "ana@work.com"), ["pi_1", "pi_2"]);
    merge("ana@work.com", ANA, &[]).expect(0);
    assert_eq!(payments(&shop, ANA), ["pi_1", "pi_2", "pi_3"]);
    let shown = shop.run(&["customers", "show", ANA]).expect(0).out;
    assert!(shown.contains("she called") && shown.contains(&format!("document:{ANA}")), "{shown}");
    let listed = json(&shop, &["customers", "decisions"]);
    assert_eq!((&listed[0]["email"], &listed[0]["by"]), (&"ana@work.com".into(), &"caixa".into()));
    assert!(shop.run(&["rebuild", "--check"]).expect(0).out.contains("0 differences"));
    // A link that was wrong all along, and everything back.
    let split = ["customers", "split", "cus_home", "--because", "another Ana"];
    let made = shop.run(&split).expect(0).out;
    assert!(made.contains("1 payment") && made.contains("customers undo shop/cus_home"), "{made}");
    assert_eq!(payments(&shop, "cus_home"), ["pi_2"]);
    assert_eq!(up.terminate().0, 0);
    for who in ["shop/cus_home", "ana@work.com", "ANA@home.com"] {
        shop.run(&["customers", "undo", who, "--because", "a mistake"]).expect(0);
    }
    assert_eq!(payments(&shop, ANA), ["pi_3"]);
    assert_eq!(payments(&shop, "ana@home.com"), ["pi_2"]);
    assert_eq!(json(&shop, &["customers", "decisions"]).as_array().unwrap().len(), 0);
    assert_eq!(json(&shop, &["customers", "decisions", "--undone"]).as_array().unwrap().len(), 3);
    assert!(shop.run(&["rebuild", "--check"]).expect(0).out.contains("0 differences"));
}

#[test]
fn what_cannot_be_decided_is_refused_with_what_to_do_instead() {
    let (shop, up) = shop();
    let id = |who: &str| json(&shop, &["customers", "show", who])[0]["customer"]["id"].as_str().unwrap().to_owned();
    let because = ["--because", "she called"];
    let run = |args: &[&str]| shop.run(&[&["customers"], args, &because].concat());
    let refused = [
        (run(&["merge", &id(BIA), ANA]).expect(2), "two documents are two people"),
        (run(&["split", &id(ANA)]).expect(2), "two documents are two people"),
        (run(&["merge", "ana@x.com", "cus_bare"]).expect(2), "Merge it into the other"),
        (run(&["merge", "ana@work.com", "ana@work.com"]).expect(2), "cannot be merged into itself"),
        (run(&["merge", "nobody@x.com", "nobody@y.com"]).expect(1), "no customer is known by nobody@y.com"),
        (run(&["merge", "cus_nobody", ANA]).expect(1), "no customer is known by cus_nobody"),
        (run(&["merge", "other/cus_work", ANA]).expect(1), "no customer is known by other/cus_work"),
        (run(&["undo", "ana@x.com"]).expect(1), "customers decisions"),
        (shop.run(&["customers", "split", "ana@x.com", "--because", " "]).expect(2), "got an empty text"),
        (shop.run(&["customers", "split", "ana@x.com"]).expect(2), "--because"),
    ];
    for (one, expected) in refused {
        assert!(one.err.contains(expected), "{expected}: {one:?}");
    }
    // An address nobody was known by yet is told where it belongs before it comes.
    assert!(run(&["merge", "ana@new.com", ANA]).expect(0).out.contains("nobody moved"));
    let object = r#"{"id":"cus_new","object":"customer","email":"ana@new.com"}"#;
    assert!(shop.deliver(up.ingress, &event("new", "customer.updated", object)).is_acknowledged());
    wait_until("it is in the ledger", || shop.receipts().contains_key("snapshot:evt_new"));
    assert_eq!(id("cus_new"), id(ANA));
    assert_eq!(up.terminate().0, 0);
}
