//! Rebuilding: whatever differs is found, mended, and then differs no more.

use afluente_gateways::IgnoredBecause;
use afluente_model::Mode;
use afluente_store::Store;
use afluente_worker::Outcome;
use afluente_worker::rebuild::{Repaired, Report, plan};

use crate::suite::bench::{Bench, NOW, event, paid};

/// What somebody who looks now finds.
async fn look(bench: &Bench) -> Report {
    let snapshot = Store::open_snapshot(bench.ledger.location()).await.unwrap();
    let report = plan(&snapshot, &bench.accounts, |_| {}).await.unwrap();
    snapshot.close().await;
    report
}

/// Writes the whole plan.
async fn mend(bench: &Bench, report: &Report) -> Repaired {
    let mut written = Repaired::default();
    for part in report.plan.parts() {
        let one = part.write(&bench.store, &bench.accounts, "ana").await.unwrap();
        written.receipts += one.receipts;
        written.rows += one.rows;
        written.facts_dropped += one.facts_dropped;
    }
    written
}

/// The bodies of a payment with a refund that names the charge only, and of a subscription.
fn bodies() -> Vec<String> {
    let refund = r#"{"id":"re_a","object":"refund","amount":200,"currency":"brl","status":"succeeded","charge":"ch_a","created":1789999500}"#;
    let subscription = r#"{"id":"sub_a","object":"subscription","status":"active","customer":"cus_a","created":1789990000,"items":{"data":[{"current_period_start":1789990000,"current_period_end":1792582000}]}}"#;
    vec![
        event("refund", "refund.created", NOW - 45, refund),
        paid("a"),
        paid("b"),
        event("sub", "customer.subscription.updated", NOW - 30, subscription),
    ]
}

#[tokio::test]
async fn what_a_wrong_mode_ignored_for_an_hour_is_applied_by_one_rebuild() {
    let truth = Bench::new().await;
    truth.bodies(&bodies()).await;
    let mut bench = Bench::new().await;
    bench.mode(Mode::Live);
    let ignored = bench.bodies(&bodies()).await;
    assert!(ignored.iter().all(|one| *one == Outcome::Ignored(IgnoredBecause::WrongMode)), "{ignored:?}");
    assert!(bench.rows().await.is_empty());

    bench.mode(Mode::Test);
    let report = look(&bench).await;
    assert!(!report.differences.is_empty());
    assert_eq!(mend(&bench, &report).await.receipts, 4);
    let after = look(&bench).await;
    assert!(after.differences.is_empty(), "{:?}", after.differences);
    assert_eq!(bench.rows().await, truth.rows().await);
    assert_eq!(after.subscriptions, 1);
    assert_eq!(bench.bodies(&bodies()).await, [Outcome::Repeated; 4]);
    assert_eq!(bench.rows().await, truth.rows().await);
}

#[tokio::test]
async fn what_was_ignored_is_applied_once_when_the_gateway_sends_it_again() {
    let truth = Bench::new().await;
    truth.bodies(&bodies()).await;
    let mut bench = Bench::new().await;
    bench.mode(Mode::Live);
    bench.bodies(&bodies()).await;
    bench.mode(Mode::Test);
    // Twice in one batch, and once more.
    let twice: Vec<String> = bodies().into_iter().chain(bodies()).collect();
    let outcomes = bench.bodies(&twice).await;
    assert_eq!(outcomes[..4], [Outcome::Applied; 4]);
    assert_eq!(outcomes[4..], [Outcome::Repeated; 4]);
    assert_eq!(bench.bodies(&bodies()).await, [Outcome::Repeated; 4]);
    assert_eq!(bench.rows().await, truth.rows().await);
    let report = look(&bench).await;
    assert!(report.differences.is_empty(), "{:?}", report.differences);
    assert_eq!(bench.store.counts().await.unwrap().receipts, 4);
}

#[tokio::test]
async fn what_a_wrong_mode_applied_is_taken_back() {
    let mut bench = Bench::new().await;
    bench.bodies(&bodies()).await;
    bench.mode(Mode::Live);
    let report = look(&bench).await;
    let written = mend(&bench, &report).await;
    assert!(written.facts_dropped > 0, "{written:?}");
    let after = look(&bench).await;
    assert!(after.differences.is_empty(), "{:?}", after.differences);
    let counts = bench.store.counts().await.unwrap();
    assert_eq!((counts.payments, counts.facts, counts.subscriptions, counts.ignored), (0, 0, 0, 4));
}

#[tokio::test]
async fn rows_facts_and_names_that_somebody_damaged_become_right_again() {
    let damages = [
        "update payments set captured_amount = 1, refunded_amount = 0 where provider_payment_id = 'pi_b'",
        "update payments set fact_count = 99",
        "delete from payment_facts",
        "delete from payment_facts; delete from payments",
        "update payment_facts set amount = amount + 1 where amount is not null",
        "update payment_facts set named = 'pi_of_somebody'",
        "update payment_names set provider_payment_id = name",
        "update customer_subscriptions set base = 'CANCELED'",
        "delete from subscription_facts",
        "delete from subscription_facts; delete from customer_subscriptions",
        "update webhook_receipts set state = 'IGNORED', ignored_because = 'other_mode'",
    ];
    for damage in damages {
        let bench = Bench::new().await;
        bench.bodies(&bodies()).await;
        let before = bench.rows().await;
        bench.ledger.run(damage).await;
        let report = look(&bench).await;
        assert!(!report.differences.is_empty(), "{damage} is not found");
        mend(&bench, &report).await;
        let after = look(&bench).await;
        assert!(after.differences.is_empty(), "{damage}: {:?}", after.differences);
        assert_eq!(bench.rows().await, before, "{damage}");
    }
}

#[tokio::test]
async fn a_damaged_body_is_reported_and_nothing_is_made_of_it() {
    let bench = Bench::new().await;
    bench.bodies(&bodies()).await;
    let other = "(select body from webhook_receipts other where other.event_id like '%evt_a')";
    bench.ledger.run(&format!("update webhook_receipts set body = {other} where event_id like '%evt_b'")).await;
    let report = look(&bench).await;
    assert!(report.plan.beyond_repair > 0, "{:?}", report.differences);
}

#[tokio::test]
async fn a_rebuild_is_traced_to_who_did_it() {
    let bench = Bench::new().await;
    bench.bodies(&bodies()).await;
    bench
        .ledger
        .run("update payments set captured_amount = 1, refunded_amount = 0 where provider_payment_id = 'pi_b'")
        .await;
    mend(&bench, &look(&bench).await).await;
    let row = bench.store.payments_named("pi_b", 1).await.unwrap().remove(0);
    let events = bench.store.events_of("payment", row.id).await.unwrap();
    assert_eq!(events.last().unwrap().actor, "ana");
    assert_eq!(events.last().unwrap().kind, "updated");
}
