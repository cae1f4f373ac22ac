//! What a batch leaves behind besides its rows: events, announcements, questions, contradictions, claims, words.

use afluente_worker::Outcome;

use crate::suite::bench::{Bench, NOW, event, paid};

fn refund(name: &str, minor: i64, currency: &str, created: i64) -> String {
    format!(
        r#"{{"id":"re_{name}","object":"refund","amount":{minor},"currency":"{currency}","status":"succeeded","charge":"ch_{name}","created":{created}}}"#
    )
}

fn charge(name: &str, intent: &str, refunded: i64) -> String {
    format!(
        r#"{{"id":"ch_{name}","object":"charge","amount":500,"amount_captured":500,"amount_refunded":{refunded},"captured":true,"currency":"brl","status":"succeeded","payment_intent":"{intent}","created":1789999000}}"#
    )
}

/// The kinds of a payment's events in the order of their versions.
async fn told(bench: &Bench, payment: &str) -> Vec<String> {
    let row = bench.store.payments_named(payment, 1).await.unwrap().remove(0);
    let events = bench.store.events_of("payment", row.id).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

async fn inconsistencies(bench: &Bench) -> Vec<String> {
    let kinds =
        bench.ledger.text("select coalesce(string_agg(kind, ',' order by kind), '') from inconsistencies").await;
    kinds.split(',').filter(|kind| !kind.is_empty()).map(Into::into).collect()
}

/// Open wants as `kind reference reason`, sorted: those of one batch have no order of their own.
async fn wants(bench: &Bench) -> Vec<String> {
    let open = bench.store.wants(None, 100).await.unwrap();
    let mut wants: Vec<String> =
        open.into_iter().map(|want| format!("{} {} {}", want.kind, want.reference, want.reason)).collect();
    wants.sort_unstable();
    wants
}

#[tokio::test]
async fn every_change_is_an_event_with_its_receipt_and_an_announcement() {
    let bench = Bench::new().await;
    bench.bodies(&[paid("a")]).await;
    bench.bodies(&[event("r", "refund.created", NOW - 45, &refund("a", 200, "brl", 1_789_999_500))]).await;
    // Nothing new, so nothing told.
    bench.bodies(&[paid("a")]).await;
    assert_eq!(told(&bench, "pi_a").await, ["created", "status_changed"]);
    let row = bench.store.payments_named("pi_a", 1).await.unwrap().remove(0);
    let events = bench.store.events_of("payment", row.id).await.unwrap();
    assert!(events[1].detail.contains(r#""status_v2":["SUCCEEDED","PARTIALLY_REFUNDED"]"#), "{}", events[1].detail);
    let receipts = bench.store.payment_receipts(row.id).await.unwrap();
    let of_refund = receipts.iter().find(|receipt| receipt.event_type == "refund.created").unwrap();
    assert_eq!(events[1].receipt, Some(of_refund.id));
    assert!(events.iter().all(|event| event.actor == "worker"));
    let announced = bench.ledger.text(
        "select '[' || string_agg(payload, ',' order by id) || ']' from outbox where key = 'shop//pi_a' and topic = 'payment.changed'",
    );
    let announced: serde_json::Value = serde_json::from_str(&announced.await).unwrap();
    assert_eq!(announced[0]["row"]["status_v2"], "SUCCEEDED");
    assert_eq!(announced[1]["row"]["status_v2"], "PARTIALLY_REFUNDED");
    assert_eq!(announced.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_row_that_turns_out_to_be_another_s_name_goes_and_is_told_of() {
    let bench = Bench::new().await;
    bench.bodies(&[event("r", "refund.created", NOW - 45, &refund("a", 200, "brl", 1_789_999_500))]).await;
    assert_eq!(bench.rows().await.keys().collect::<Vec<_>>(), ["ch_a"]);
    bench.bodies(&[paid("a")]).await;
    assert_eq!(bench.rows().await.keys().collect::<Vec<_>>(), ["pi_a"]);
    let merged = bench.ledger.text("select detail from lifecycle_events where kind = 'merged'").await;
    assert_eq!(merged, r#"{"into":"pi_a","name":"ch_a"}"#);
    let told =
        bench.ledger.text("select payload from outbox where topic = 'payment.merged' and key = 'shop//ch_a'").await;
    assert_eq!(told, r#"{"account":"shop","into":"pi_a","name":"ch_a","tenant":""}"#);
}

#[tokio::test]
async fn a_row_left_under_another_s_name_is_found_when_the_name_is_spoken_of_again() {
    let bench = Bench::new().await;
    let refund = event("r", "refund.created", NOW - 45, &refund("a", 200, "brl", 1_789_999_500));
    bench.bodies(std::slice::from_ref(&refund)).await;
    // As if another worker had learned the alias without seeing that row.
    bench.ledger.run("update payment_names set provider_payment_id = 'pi_a' where name = 'ch_a'").await;
    bench.bodies(&[paid("a")]).await;
    let rows = bench.rows().await;
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["pi_a"]);
    assert!(rows["pi_a"].contains("PARTIALLY_REFUNDED"), "{rows:?}");
}

#[tokio::test]
async fn two_intents_that_claim_one_charge_are_told_of() {
    let bench = Bench::new().await;
    let claims = |intent: &str| event(intent, "charge.succeeded", NOW - 40, &charge("a", intent, 0));
    bench.bodies(&[claims("pi_2")]).await;
    bench.bodies(&[claims("pi_1")]).await;
    assert_eq!(inconsistencies(&bench).await, ["alias_claimed_twice"]);
}

#[tokio::test]
async fn what_contradicts_itself_is_asked_and_what_asking_cannot_settle_is_shown() {
    let bench = Bench::new().await;
    bench.bodies(&[paid("a"), event("r", "refund.created", NOW - 45, &refund("a", 700, "brl", 1_789_999_500))]).await;
    assert_eq!(inconsistencies(&bench).await, ["returned_more_than_captured"]);
    assert_eq!(wants(&bench).await, ["payment pi_a returned_more_than_captured"]);

    let bench = Bench::new().await;
    bench.bodies(&[paid("a"), event("r", "refund.created", NOW - 45, &refund("a", 100, "usd", 1_789_999_500))]).await;
    assert_eq!(inconsistencies(&bench).await, ["mixed_currency"]);

    let bench = Bench::new().await;
    let same_second = [
        paid("a"),
        event("c", "charge.refunded", NOW - 45, &charge("a", "pi_a", 200)),
        event("r", "refund.created", NOW - 45, &refund("a", 200, "brl", NOW - 45)),
    ];
    bench.bodies(&same_second).await;
    assert_eq!(wants(&bench).await, ["payment pi_a contested"]);
}

#[tokio::test]
async fn money_that_goes_back_from_a_payment_nobody_described_is_asked_for_unless_it_comes_by_itself() {
    let bench = Bench::new().await;
    let pending = refund("b", 100, "brl", 1_789_999_500).replace("succeeded", "pending");
    bench
        .bodies(&[
            event("r", "refund.created", NOW - 45, &refund("a", 200, "brl", 1_789_999_500)),
            event("q", "refund.created", NOW - 45, &pending),
        ])
        .await;
    assert_eq!(wants(&bench).await, ["payment ch_a unconfirmed", "payment ch_b unconfirmed"]);
    bench.bodies(&[event("c", "charge.succeeded", NOW - 50, &charge("a", "pi_a", 0))]).await;
    let mut tx = bench.store.begin().await.unwrap();
    let now = afluente_worker::now();
    assert_eq!(tx.close_known_wants(None, now).await.unwrap(), (0, None), "not due for two minutes");
    assert_eq!(tx.close_known_wants(None, now.shifted(130_000_000)).await.unwrap().0, 1);
    tx.commit().await.unwrap();
    assert_eq!(wants(&bench).await, ["payment ch_b unconfirmed"]);
    // Its payment is described by now: nothing more is asked.
    bench.bodies(&[event("s", "refund.updated", NOW - 40, &refund("a", 200, "brl", 1_789_999_500))]).await;
    assert_eq!(wants(&bench).await, ["payment ch_b unconfirmed"]);
}

#[tokio::test]
async fn an_amount_that_breaks_the_gateway_s_own_rule_is_kept_and_shown_to_a_person() {
    let bench = Bench::new().await;
    let paid_in =
        |currency: &str, name: &str| paid(name).replace("\"brl\"", &format!("\"{currency}\"")).replace("500", "550");
    bench.bodies(&[paid_in("isk", "a"), paid_in("ugx", "b"), paid_in("bhd", "c"), paid_in("clp", "d")]).await;
    let doubted = bench.ledger.text(
        "select string_agg(provider_payment_id || ' ' || cast(captured_amount as text), ', ' order by provider_payment_id) \
         from payments where amount_doubted",
    );
    assert_eq!(doubted.await, "pi_a 550, pi_b 550");
    assert_eq!(inconsistencies(&bench).await, ["amount_doubted", "amount_doubted"]);
}

#[tokio::test]
async fn a_damaged_part_is_noted_on_the_receipt_and_the_payment_stands() {
    let bench = Bench::new().await;
    let body = charge("a", "pi_a", 0).replace("{\"id\"", "{\"metadata\":[],\"description\":\"Kit \\ud83d\",\"id\"");
    let outcome = bench.bodies(&[event("c", "charge.succeeded", NOW - 50, &body)]).await;
    assert_eq!(outcome, [Outcome::Applied]);
    assert!(bench.rows().await["pi_a"].contains("SUCCEEDED"));
    let notes = bench.ledger.text("select notes from webhook_receipts where notes is not null").await;
    assert_eq!(
        notes,
        r#"["expected an object in metadata","expected Unicode, got half a surrogate pair, read as U+FFFD"]"#
    );
}

#[tokio::test]
async fn a_contradiction_that_what_comes_later_explains_is_taken_off_the_list() {
    let bench = Bench::new().await;
    // The hold and a refund come before the capture: for a moment more went back than was taken.
    let held = charge("a", "pi_a", 0)
        .replace("\"captured\":true", "\"captured\":false")
        .replace("\"amount_captured\":500,", "");
    bench
        .bodies(&[
            event("h", "charge.succeeded", NOW - 60, &held),
            event("r", "refund.created", NOW - 45, &refund("a", 200, "brl", 1_789_999_500)),
        ])
        .await;
    let open = "select cast(count(*) as text) from inconsistencies where resolved_at is null";
    assert_eq!(bench.ledger.text(open).await, "1");
    bench.bodies(&[event("c", "charge.captured", NOW - 50, &charge("a", "pi_a", 0))]).await;
    assert_eq!(bench.ledger.text(open).await, "0");
    let told = bench.ledger.text("select resolved_by || ': ' || resolution from inconsistencies").await;
    assert_eq!(told, "worker: what came since explains it");
}

#[tokio::test]
async fn an_envelope_of_another_mode_is_shown_to_a_person() {
    let bench = Bench::new().await;
    let live = paid("a").replace("\"livemode\":false", "\"livemode\":true");
    let outcome = bench.bodies(&[live]).await;
    assert!(matches!(outcome[0], Outcome::Ignored(_)), "{outcome:?}");
    assert_eq!(inconsistencies(&bench).await, ["wrong_mode"]);
}

#[tokio::test]
async fn a_word_nobody_knows_is_counted_and_asked_and_asked_again_with_a_repetition() {
    let bench = Bench::new().await;
    let odd = event(
        "odd",
        "payment_intent.updated",
        NOW - 50,
        r#"{"id":"pi_odd","object":"payment_intent","amount":500,"currency":"brl","status":"half_paid"}"#,
    );
    bench.bodies(std::slice::from_ref(&odd)).await;
    let words = bench.store.unknown_words(10).await.unwrap();
    assert_eq!((words[0].word.as_str(), words[0].seen), ("half_paid", 1));
    let asked = wants(&bench).await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    bench.ledger.run("update wants set closed_at = created_at, closed_because = 'answered'").await;
    assert_eq!(bench.bodies(&[odd]).await, [Outcome::Repeated]);
    assert_eq!(wants(&bench).await, asked);
    assert_eq!(bench.store.unknown_words(10).await.unwrap()[0].seen, 1, "a repetition counts no word again");
}

#[tokio::test]
async fn who_is_behind_a_payment_is_kept_as_claimed() {
    let bench = Bench::new().await;
    let body = event(
        "a",
        "payment_intent.succeeded",
        NOW - 50,
        r#"{"id":"pi_a","object":"payment_intent","amount":500,"amount_received":500,"currency":"brl","status":"succeeded","customer":"cus_1","receipt_email":"Ana@Example.com "}"#,
    );
    bench.bodies(&[body.clone(), body]).await;
    let said = "select string_agg(claims, ', ') from identity_claims where subject_id = 'pi_a'";
    let claims = bench.ledger.text(said).await;
    assert_eq!(claims, r#"[["customer","cus_1"],["email","ana@example.com"]]"#);
}

#[tokio::test]
async fn a_subscription_s_changes_are_events_of_its_own() {
    let bench = Bench::new().await;
    let subscription = |name: &str, created: i64, status: &str| {
        let object = format!(
            r#"{{"id":"sub_a","object":"subscription","status":"{status}","customer":"cus_a","created":1789990000,"items":{{"data":[{{"current_period_start":1789990000,"current_period_end":1792582000}}]}}}}"#
        );
        event(name, "customer.subscription.updated", created, &object)
    };
    bench.bodies(&[subscription("one", NOW - 60, "active")]).await;
    bench.bodies(&[subscription("two", NOW - 30, "past_due")]).await;
    let kinds = bench.ledger.text(
        "select string_agg(kind, ',' order by row_version) from lifecycle_events where entity_type = 'subscription'",
    );
    let kinds = kinds.await;
    assert_eq!(kinds, "created,status_changed");
    let base =
        bench.ledger.text("select base from customer_subscriptions where provider_subscription_id = 'sub_a'").await;
    assert_eq!(base, "PAST_DUE");
    let receipts = bench.ledger.text(
        "select cast(count(*) as text) from lifecycle_events where entity_type = 'subscription' and receipt_id in (select id from webhook_receipts)",
    );
    assert_eq!(receipts.await, "2");
    let announced = bench.ledger.text(
        "select '[' || string_agg(payload, ',' order by id) || ']' from outbox where key = 'shop//sub_a' and topic = 'subscription.changed'",
    );
    let announced: serde_json::Value = serde_json::from_str(&announced.await).unwrap();
    let said = |place: usize| (&announced[place]["from"], &announced[place]["row"]["base"]);
    assert_eq!(said(0), (&"UNKNOWN".into(), &"ACTIVE".into()));
    assert_eq!(said(1), (&"ACTIVE".into(), &"PAST_DUE".into()));
    assert_eq!(announced[1]["provider_subscription_id"], "sub_a");
}
