//! Batches: what commits, what is buried, what happens twice.

use std::collections::BTreeMap;

use afluente_model::Gateway;
use afluente_queue::{SealKey, SealKeys, Sealed};
use afluente_store::DeadReason;
use afluente_store::report::PaymentFilter;
use afluente_worker::{Outcome, Postponed};

use crate::suite::bench::{Bench, NOW, delivery, event, paid};

#[tokio::test]
async fn one_refused_delivery_among_many_is_buried_alone_and_the_rest_commits() {
    let bench = Bench::new().await;
    let mut messages: Vec<Sealed> =
        (0..40).map(|number| bench.sealed("shop", &paid(&format!("good{number}")))).collect();
    bench.ledger.refuse("evt_bad").await;
    messages.insert(17, bench.sealed("shop", &paid("bad")));
    let outcomes = bench.handle(messages, true).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Applied).count(), 40);
    assert_eq!(outcomes[17], Outcome::Buried(DeadReason::Refused));
    assert_eq!(bench.rows().await.len(), 40);
    let dead = bench.dead().await;
    assert_eq!(dead.len(), 1);
    assert!(dead[0].1.contains("refused"), "{dead:?}");
}

#[tokio::test]
async fn a_delivery_whose_account_has_no_row_waits_beside_the_others_and_is_not_buried() {
    let bench = Bench::new().await;
    let messages = vec![
        bench.sealed("shop", &paid("one")),
        // Its account is configured, but the ledger has no row of it.
        bench.sealed("ghost", &paid("waits")),
        bench.sealed("shop", &paid("two")),
    ];
    let verdicts = bench.verdicts(messages).await;
    assert!(matches!(verdicts[0], Ok(Outcome::Applied)) && matches!(verdicts[2], Ok(Outcome::Applied)), "{verdicts:?}");
    assert!(matches!(verdicts[1], Err(Postponed::AccountMissing(_))), "{verdicts:?}");
    assert!(bench.dead().await.is_empty());
}

#[tokio::test]
async fn what_nobody_sealed_or_nobody_knows_is_buried_with_its_reason_beside_good_ones() {
    let bench = Bench::new().await;
    let stranger = SealKeys::new(SealKey::from_bytes([2; 32]), []);
    let mut other_gateway = delivery("shop", &paid("x"));
    other_gateway.gateway = Gateway::Pagarme;
    let messages = vec![
        bench.sealed("shop", &paid("good")),
        stranger.seal(&delivery("shop", &paid("minted"))),
        Sealed { head: b"not a head".to_vec().into(), ..bench.sealed("shop", &paid("broken")) },
        Sealed { body: b"{}".to_vec().into(), ..bench.sealed("shop", &paid("changed")) },
        bench.sealed("nobody", &paid("lost")),
        bench.keys.seal(&other_gateway),
        bench.sealed("shop", "[]"),
        bench.sealed("shop", &event("ahead", "payment_intent.succeeded", NOW + 301, r#"{"id":"pi_ahead","object":"payment_intent","amount":1,"amount_received":1,"currency":"brl","status":"succeeded"}"#)),
    ];
    let mut outcomes = bench.handle(messages, true).await;
    outcomes.sort_by_key(|outcome| format!("{outcome:?}"));
    let buried = |reason| Outcome::Buried(reason);
    let mut expected = vec![
        Outcome::Applied,
        buried(DeadReason::Undecodable),
        buried(DeadReason::Undecodable),
        buried(DeadReason::Undecodable),
        buried(DeadReason::UnknownAccount),
        buried(DeadReason::UnknownAccount),
        buried(DeadReason::Malformed),
        buried(DeadReason::FutureDated),
    ];
    expected.sort_by_key(|outcome| format!("{outcome:?}"));
    assert_eq!(outcomes, expected);
    assert_eq!(bench.rows().await.keys().collect::<Vec<_>>(), ["pi_good"]);
    for (_, error) in bench.dead().await {
        assert!(!error.contains("minted") && !error.contains("pi_"), "{error}");
    }
}

#[tokio::test]
async fn a_delivery_whose_reading_panics_is_buried_alone_and_every_other_keeps_its_place() {
    let mut bench = Bench::new().await;
    bench.explosive();
    let mut bodies: Vec<String> = (0..40).map(|number| paid(&format!("good{number}"))).collect();
    bodies.insert(13, paid("explode"));
    let outcomes = bench.bodies(&bodies).await;
    assert_eq!(outcomes[13], Outcome::Buried(DeadReason::Panicked));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Applied).count(), 40);
    assert_eq!(bench.rows().await.len(), 40);
}

#[tokio::test]
async fn a_batch_committed_and_never_acknowledged_changes_nothing_the_second_time() {
    let bench = Bench::new().await;
    let messages = || vec![bench.sealed("shop", &paid("one")), bench.sealed("shop", "no json")];
    let (first, second) = (messages(), messages());
    let again: Vec<Sealed> = first.clone();
    assert_eq!(bench.handle(first, true).await, [Outcome::Applied, Outcome::Buried(DeadReason::Malformed)]);
    let before = bench.rows().await;
    // The same messages, as after a kill between commit and acknowledgement.
    assert_eq!(bench.handle(again, true).await, [Outcome::Repeated, Outcome::Buried(DeadReason::Malformed)]);
    assert_eq!(bench.dead().await.len(), 1, "one open dead letter, counted up");
    // The same content under new deliveries, as after the gateway's own repetition.
    assert_eq!(bench.handle(second, true).await[0], Outcome::Repeated);
    assert_eq!(bench.rows().await, before);
    let row = &bench.store.payments(&PaymentFilter { limit: 1, ..PaymentFilter::default() }).await.unwrap()[0];
    assert_eq!(row.row_version, 1);
}

#[tokio::test]
async fn any_order_and_any_split_into_batches_gives_the_same_ledger() {
    let charge = r#"{"id":"ch_o","object":"charge","amount":500,"amount_captured":500,"amount_refunded":200,"captured":true,"currency":"brl","status":"succeeded","payment_intent":"pi_o","created":1789999000}"#;
    let alone =
        r#"{"id":"dp_o","object":"dispute","amount":500,"currency":"brl","status":"needs_response","charge":"ch_o"}"#;
    let refund = r#"{"id":"re_o","object":"refund","amount":200,"currency":"brl","status":"succeeded","charge":"ch_o","created":1789999500}"#;
    let bodies = [
        paid("o"),
        event("c", "charge.refunded", NOW - 40, charge),
        // These two name the charge only: until the alias is known they stand in a row of its own.
        event("d", "charge.dispute.created", NOW - 20, alone),
        event("r", "refund.created", NOW - 45, refund),
    ];
    let mut seen: Option<BTreeMap<String, String>> = None;
    for order in permutations(bodies.len()) {
        for size in [1, 2, 4] {
            let bench = Bench::new().await;
            for part in order.chunks(size) {
                let messages = part.iter().map(|index| bench.sealed("shop", &bodies[*index])).collect();
                bench.handle(messages, true).await;
            }
            let rows = bench.rows().await;
            assert_eq!(rows.keys().collect::<Vec<_>>(), ["pi_o"], "{order:?} by {size}");
            assert!(rows["pi_o"].contains("DISPUTED"), "{rows:?}");
            assert_eq!(seen.get_or_insert_with(|| rows.clone()), &rows, "{order:?} by {size}");
        }
    }
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    (0..count)
        .flat_map(|place| {
            shorter.iter().map(move |order| {
                let mut order = order.clone();
                order.insert(place, count - 1);
                order
            })
        })
        .collect()
}
