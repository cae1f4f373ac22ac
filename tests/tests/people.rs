//! What people are told: contradictions, words nobody knows, changes, subscriptions, claims.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_tests::{Shop, Up, event, wait_until};
use serde_json::Value;

/// A shop to which everything came that a person should hear of, one of each.
fn troubled() -> (Shop, Up) {
    let shop = Shop::new();
    let up = shop.up();
    let charge = |intent: &str| {
        format!(
            r#"{{"id":"ch_twice","object":"charge","amount":500,"amount_captured":500,"amount_refunded":0,"captured":true,"currency":"brl","status":"succeeded","payment_intent":"{intent}","created":1790000000}}"#
        )
    };
    let isk = String::from_utf8(Shop::paid("isk", 501)).unwrap().replace("\"brl\"", "\"isk\"");
    let live = String::from_utf8(Shop::paid("live", 500)).unwrap().replace("\"livemode\":false", "\"livemode\":true");
    let bodies = [
        event("one", "charge.succeeded", &charge("pi_1")),
        event("two", "charge.succeeded", &charge("pi_2")),
        event(
            "odd",
            "payment_intent.updated",
            r#"{"id":"pi_odd","object":"payment_intent","amount":5,"currency":"brl","status":"half_paid"}"#,
        ),
        isk.into_bytes(),
        live.into_bytes(),
        event(
            "sub",
            "customer.subscription.updated",
            r#"{"id":"sub_1","object":"subscription","status":"active","customer":"cus_1","cancel_at":4102444800,"items":{"data":[]}}"#,
        ),
        event(
            "cus",
            "customer.updated",
            r#"{"id":"cus_1","object":"customer","email":"Ana@Example.com","name":"Ana"}"#,
        ),
        Shop::paid("plain", 700),
    ];
    for body in &bodies {
        assert!(shop.deliver(up.ingress, body).is_acknowledged());
    }
    wait_until("all are in the ledger", || shop.receipts().len() == bodies.len());
    (shop, up)
}

fn json(shop: &Shop, args: &[&str]) -> Vec<Value> {
    shop.run(&[args, &["--json"]].concat()).expect(0).json().as_array().unwrap().clone()
}

#[test]
fn contradictions_are_listed_shown_and_resolved_and_come_again_if_they_do() {
    let (shop, up) = troubled();
    let list = json(&shop, &["inconsistencies", "list"]);
    let mut kinds: Vec<&str> = list.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["alias_claimed_twice", "amount_doubted", "wrong_mode"]);
    let table = shop.run(&["inconsistencies", "list", "--kind", "wrong_mode"]).expect(0).out;
    assert!(table.contains("account shop") && !table.contains("alias_claimed_twice"), "{table}");
    let wrong_mode = list.iter().find(|one| one["kind"] == "wrong_mode").unwrap()["id"].as_str().unwrap();
    let shown = shop.run(&["inconsistencies", "show", wrong_mode]).expect(0).out;
    assert!(shown.contains("rebuild --apply") && shown.contains("was kept and ignored"), "{shown}");

    let resolve = ["inconsistencies", "resolve", wrong_mode, "--by", "ana"];
    assert!(shop.run(&[&resolve[..], &["--because", " "]].concat()).expect(2).err.contains("got an empty text"));
    let because = ["--because", "the endpoint was moved"];
    shop.run(&[&resolve[..], &because, &["--dry-run"]].concat()).expect(0);
    assert_eq!(json(&shop, &["inconsistencies", "list"]).len(), 3, "a dry run changes nothing");
    assert!(shop.run(&[&resolve[..], &because].concat()).expect(0).out.contains("1 inconsistency resolved"));
    assert!(shop.run(&[&resolve[..], &because].concat()).expect(0).out.contains("resolved before by somebody else"));
    assert_eq!(json(&shop, &["inconsistencies", "list"]).len(), 2);
    let resolved = json(&shop, &["inconsistencies", "list", "--resolved", "--kind", "wrong_mode"]);
    assert_eq!(
        (&resolved[0]["resolved_by"], &resolved[0]["resolution"]),
        (&"ana".into(), &"the endpoint was moved".into())
    );
    let told = json(&shop, &["events", "list", "--of", "inconsistency"]);
    assert_eq!((&told[0]["kind"], &told[0]["actor"]), (&"resolved".into(), &"ana".into()));

    // What is seen again is a new one, also where no process runs.
    let again = String::from_utf8(Shop::paid("again", 500)).unwrap().replace("\"livemode\":false", "\"livemode\":true");
    assert!(shop.deliver(up.ingress, again.as_bytes()).is_acknowledged());
    wait_until("it is seen again", || json(&shop, &["inconsistencies", "list"]).len() == 3);
    let page = up.get("/metrics");
    let counted = |outcome: &str, count: u32| {
        let series = "afluente_worker_deliveries_total{gateway=\"stripe\",outcome";
        page.contains(&format!("{series}=\"{outcome}\"}} {count}\n"))
    };
    assert!(counted("wrong_mode", 2) && counted("ignored", 0), "{page}");
    assert!(page.contains("afluente_worker_doubted_amounts_total{gateway=\"stripe\"} 1"), "{page}");
    assert_eq!(up.terminate().0, 0);
    let open = json(&shop, &["inconsistencies", "list", "--kind", "wrong_mode"]);
    let id = open[0]["id"].as_str().unwrap();
    shop.run(&["inconsistencies", "resolve", id, "--because", "again", "--by", "bia"]).expect(0);
    assert_eq!(json(&shop, &["inconsistencies", "list"]).len(), 2);
    let nobody = "00000000-0000-7000-8000-000000000000";
    assert!(shop.run(&["inconsistencies", "show", nobody]).expect(1).err.contains("inconsistencies list"));
    assert!(shop.run(&["rebuild", "--check"]).expect(0).out.contains("0 differences"));
}

#[test]
fn words_nobody_knows_are_listed_with_an_example() {
    let (shop, up) = troubled();
    let words = json(&shop, &["unknown", "list"]);
    assert_eq!(words.len(), 1, "{words:#?}");
    let word = &words[0];
    let said = (&word["provider_v2"], &word["field"], &word["word"], &word["seen"]);
    assert_eq!(said, (&"STRIPE".into(), &"payment_intent.status".into(), &"half_paid".into(), &1.into()));
    let receipt = word["receipt"].as_str().unwrap().replace('-', "");
    assert_eq!(
        shop.count(&format!(
            "select count(*) from webhook_receipts where id = x'{receipt}' and event_id = 'snapshot:evt_odd'"
        )),
        1
    );
    let table = shop.run(&["unknown", "list"]).expect(0).out;
    assert!(table.contains("half_paid") && table.contains("EXAMPLE RECEIPT"), "{table}");
    assert_eq!(up.terminate().0, 0);
}

#[test]
fn changes_subscriptions_and_claims_are_there_to_be_looked_at() {
    let (shop, up) = troubled();
    let events = json(&shop, &["events", "list", "--of", "payment", "--kind", "created", "--since", "1h"]);
    assert!(events.iter().any(|one| one["reference"] == "pi_isk"), "{events:#?}");
    let table = shop.run(&["events", "list"]).expect(0).out;
    assert!(table.contains("status_v2 UNKNOWN → SUCCEEDED"), "{table}");
    assert!(shop.run(&["events", "list", "--since", "soon"]).expect(2).err.contains("expected a time"));
    assert!(shop.run(&["events", "list", "--of", "invoice"]).expect(2).err.contains("possible values"));

    let subscriptions = json(&shop, &["subscriptions", "list"]);
    let said = (&subscriptions[0]["status_v2"], &subscriptions[0]["base"], &subscriptions[0]["next_transition_at"]);
    assert_eq!(said, (&"CANCEL_SCHEDULED".into(), &"ACTIVE".into(), &"2100-01-01T00:00:00Z".into()));
    let shown = shop.run(&["subscriptions", "show", "sub_1"]).expect(0).out;
    assert!(shown.contains("CANCEL_SCHEDULED") && shown.contains("base UNKNOWN → ACTIVE"), "{shown}");
    assert!(shop.run(&["subscriptions", "show", "sub_2"]).expect(1).err.contains("subscriptions list"));

    let claims = shop.run(&["customers", "claims", "cus_1"]).expect(0).out;
    assert!(claims.contains("ana@example.com") && claims.contains("Ana"), "{claims}");
    assert!(!claims.contains("sub_1"), "{claims}");
    let naming = json(&shop, &["customers", "claims", "cus_1", "--naming"]);
    assert!(naming.iter().any(|said| said["subject_id"] == "sub_1"), "{naming:#?}");
    assert!(shop.run(&["customers", "claims", "cus_2"]).expect(1).err.contains("--naming"));
    assert!(shop.run(&["customers", "claims", "%", "--naming"]).expect(1).err.contains("nothing is claimed"));
    assert_eq!(up.terminate().0, 0);
}

#[test]
fn a_delivery_that_is_buried_is_counted_as_such() {
    let shop = Shop::new();
    let up = shop.up();
    let signed = String::from_utf8(Shop::paid("a", 500)).unwrap().replace("\"amount\":500", "\"amount\":-500");
    assert!(shop.deliver(up.ingress, signed.as_bytes()).is_acknowledged());
    wait_until("it is counted", || {
        let page = up.get("/metrics");
        page.contains("afluente_worker_deliveries_total{gateway=\"stripe\",outcome=\"buried\"} 1")
            && page.contains("afluente_worker_dead_letters_total{gateway=\"stripe\",reason=\"malformed\"} 1")
    });
    assert_eq!(up.terminate().0, 0);
}

/// Somebody with a card and a payment, and a payment of hers that was typed at the checkout.
fn known() -> (Shop, Up) {
    let shop = Shop::new();
    let up = shop.up();
    let bodies = [
        event(
            "cus",
            "customer.updated",
            r#"{"id":"cus_9","object":"customer","email":"Ana@Example.com","name":"Ana"}"#,
        ),
        event(
            "card",
            "payment_method.attached",
            r#"{"id":"pm_9","object":"payment_method","type":"card","customer":"cus_9","card":{"brand":"visa","last4":"4242","exp_month":7,"exp_year":2031}}"#,
        ),
        event(
            "paid",
            "payment_intent.succeeded",
            r#"{"id":"pi_9","object":"payment_intent","amount":500,"amount_received":500,"currency":"brl","status":"succeeded","customer":"cus_9","payment_method":"pm_9"}"#,
        ),
        event(
            "sub",
            "customer.subscription.updated",
            r#"{"id":"sub_9","object":"subscription","status":"active","customer":"cus_9","items":{"data":[]}}"#,
        ),
    ];
    for body in &bodies {
        assert!(shop.deliver(up.ingress, body).is_acknowledged());
    }
    wait_until("all are in the ledger", || shop.receipts().len() == bodies.len());
    (shop, up)
}

#[test]
fn a_customer_is_found_by_whatever_is_known_of_her_with_all_that_is_her_own() {
    let (shop, up) = known();
    let list = json(&shop, &["customers", "list"]);
    assert_eq!(list.len(), 1, "{list:?}");
    let said = (&list[0]["email"], &list[0]["name"], &list[0]["accounts"], &list[0]["payments"]);
    assert_eq!(said, (&"ana@example.com".into(), &"Ana".into(), &1.into(), &1.into()));
    let id = list[0]["id"].as_str().unwrap();
    for who in [id, " ANA@example.com ", "cus_9", "pi_9"] {
        let found = json(&shop, &["customers", "show", who]);
        assert_eq!((found.len(), &found[0]["customer"]["id"]), (1, &id.into()), "{who}");
    }
    let person = &json(&shop, &["customers", "show", "cus_9"])[0];
    assert_eq!(person["accounts"][0]["provider_customer_id"], "cus_9");
    let method = &person["methods"][0];
    let shown = (&method["provider_method_id"], &method["last4"], &method["expiry"], &method["is_default"]);
    assert_eq!(shown, (&"pm_9".into(), &"4242".into(), &"2031-07".into(), &true.into()));
    assert_eq!(person["payments"][0]["provider_payment_id"], "pi_9");
    assert_eq!(person["subscriptions"][0]["provider_subscription_id"], "sub_9");
    assert!(person["claims"].as_array().unwrap().iter().any(|claim| claim["subject_id"] == "cus_9"), "{person}");
    assert!(!person["events"].as_array().unwrap().is_empty());
    let text = shop.run(&["customers", "show", "ana@example.com"]).expect(0).out;
    for part in ["accounts", "payment methods", "visa", "4242", "sub_9", "pi_9", "claims", "changes"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(shop.run(&["customers", "show", "nobody@example.com"]).expect(1).err.contains("customers list"));
    assert_eq!(json(&shop, &["customers", "list", "--merchant", "other"]).len(), 0);
    assert!(shop.run(&["rebuild", "--check"]).expect(0).out.contains("0 differences"));
    assert_eq!(up.terminate().0, 0);
}

#[test]
fn a_gap_is_told_with_its_reason_and_made_good_when_its_cause_is_gone() {
    let (shop, up) = known();
    assert!(shop.run(&["gaps", "repair"]).expect(0).out.contains("0 gaps made good"));
    assert_eq!(up.terminate().0, 0);
    shop.change("alter table customer_providers rename to away");
    let up = shop.up();
    let another = event("bia", "customer.updated", r#"{"id":"cus_8","object":"customer","email":"bia@example.com"}"#);
    assert!(shop.deliver(up.ingress, &another).is_acknowledged());
    wait_until("it is a gap", || json(&shop, &["gaps", "list"]).len() == 1);
    let gap = &json(&shop, &["gaps", "list", "--target", "customers"])[0];
    assert_eq!((&gap["subject_kind"], &gap["subject_id"]), (&"customer".into(), &"cus_8".into()));
    assert!(gap["detail"].as_str().unwrap().contains("customer_providers"), "{gap}");
    assert!(shop.run(&["gaps", "repair"]).expect(1).err.contains("gaps list"));
    assert_eq!(json(&shop, &["gaps", "repair", "--dry-run"]).len(), 1);
    assert_eq!(up.terminate().0, 0);
    shop.change("alter table away rename to customer_providers");
    // Where no process runs as well.
    assert!(shop.run(&["gaps", "repair"]).expect(0).out.contains("1 gap made good"));
    assert_eq!(json(&shop, &["gaps", "list"]).len(), 0);
    assert_eq!(json(&shop, &["gaps", "list", "--repaired"]).len(), 1);
    assert_eq!(json(&shop, &["customers", "show", "cus_8"])[0]["customer"]["email"], "bia@example.com");
}
