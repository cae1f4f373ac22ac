//! What may be asked a second, at once and a month.

use std::time::{Duration, Instant};

use afluente_lookup::{Access, Budget};
use afluente_model::{WantKind, WantReason};

use super::gateway::{Gateway, Say};
use super::site::{Site, access, name};

#[tokio::test]
async fn a_month_s_budget_is_not_exceeded_whoever_made_the_calls() {
    let site = Site::open().await;
    let month: String = afluente_worker::now().to_string().chars().take(7).collect();
    let mut tx = site.store.begin().await.unwrap();
    tx.count_lookup_calls(&name(), &month, 7).await.unwrap();
    tx.commit().await.unwrap();
    let gateway = Gateway::that_says(vec![Say::json(403, "{}")]).await;
    for n in 0..10 {
        site.wants(WantKind::PaymentIntent, &format!("pi_{n}"), WantReason::Hint).await;
    }
    let budget = Budget { per_second: 1_000, per_month: Some(10), at_once: 1 };
    let running = site.asks(Access { budget, ..access(&gateway.base()) });
    site.open_when(|open| open.iter().filter(|want| want.attempts == 1).count() == 3).await;
    // Long enough for many more looks at what is due: that none asks is no condition to wait for.
    tokio::time::sleep(Duration::from_millis(300)).await;
    running.stop().await;
    assert_eq!(gateway.asked().len(), 3);
    assert_eq!(site.store.lookup_calls(&name(), &month).await.unwrap(), 10);
}

#[tokio::test]
async fn calls_a_second_are_as_many_as_may_be_and_no_more() {
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![Say::json(403, "{}")]).await;
    for n in 0..30 {
        site.wants(WantKind::PaymentIntent, &format!("pi_{n}"), WantReason::Hint).await;
    }
    let budget = Budget { per_second: 20, per_month: None, at_once: 8 };
    let started = Instant::now();
    let running = site.asks(Access { budget, ..access(&gateway.base()) });
    site.open_when(|open| open.iter().all(|want| want.attempts == 1)).await;
    let took = started.elapsed();
    running.stop().await;
    // A burst of two, then one every twentieth of a second.
    assert!(took >= Duration::from_millis(1_350), "{took:?}");
    assert_eq!(gateway.asked().len(), 30);
}
