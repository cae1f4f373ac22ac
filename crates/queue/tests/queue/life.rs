//! A message's life: published, taken, settled, come back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use afluente_model::Gateway;
use afluente_queue::{PublishError, Queue, QueueError, Received, Settlement, Undecodable, Unhealthy};
use tokio::task::JoinSet;

use crate::site::{Site, acknowledge, delivery, drain, keys, message, number, publish, totals};

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(30);

async fn take_one(queue: &Queue) -> Received {
    let mut taken = tokio::time::timeout(DEADLINE, queue.take(1, Duration::ZERO)).await.unwrap().unwrap();
    assert_eq!(taken.len(), 1);
    taken.remove(0)
}

#[tokio::test]
async fn what_was_published_comes_out_byte_for_byte_after_a_restart_oldest_first() {
    let site = Site::new();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let large = delivery(Gateway::Stripe, 1, &bytes);
    let queue = site.open();
    queue.publish(keys().seal(&large)).await.unwrap();
    publish(&queue, 2..=3).await;
    queue.close().await;
    let queue = site.open();
    let taken = queue.take(10, Duration::ZERO).await.unwrap();
    assert_eq!(taken.iter().map(number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(keys().open(taken[0].head(), taken[0].body().clone()).unwrap(), large);
    assert!(taken.iter().all(|one| one.attempt() == 0 && one.gateway() == Gateway::Stripe));
}

#[tokio::test]
async fn what_was_acknowledged_is_gone_and_the_rest_is_not() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, 1..=4).await;
    let taken = queue.take(2, Duration::ZERO).await.unwrap();
    assert_eq!(totals(&queue), (2, 0, 2));
    acknowledge(&queue, taken).await;
    assert_eq!(totals(&queue), (2, 0, 0));
    queue.close().await;
    assert_eq!(drain(&site.open()).await, [3, 4]);
}

#[tokio::test]
async fn what_was_in_flight_when_the_queue_closed_is_ready_again() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, 1..=3).await;
    let held = queue.take(3, Duration::ZERO).await.unwrap();
    queue.close().await;
    let settled = queue.settle(held.into_iter().map(|one| (one, Settlement::Ack)).collect()).await;
    assert_eq!(settled.len(), 3);
    assert!(settled.iter().all(|one| matches!(one, Err(QueueError::Closed))), "{settled:?}");
    let queue = site.open();
    assert_eq!(totals(&queue), (3, 0, 0));
    assert_eq!(drain(&queue).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_delayed_message_comes_back_after_its_time_with_its_attempts_counted() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, [1]).await;
    let delay = Duration::from_millis(30);
    let mut due = Instant::now();
    for attempt in 0..4 {
        let one = take_one(&queue).await;
        assert!(Instant::now() >= due);
        assert_eq!(one.attempt(), attempt);
        let asked = Instant::now();
        queue.settle(vec![(one, Settlement::RetryAfter(delay))]).await.remove(0).unwrap();
        assert_eq!(totals(&queue), (0, 1, 0));
        due = asked + delay;
    }
}

#[tokio::test]
async fn delay_and_attempts_survive_a_restart() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, [1]).await;
    for delay in [Duration::ZERO, Duration::ZERO, Duration::from_hours(1)] {
        let one = take_one(&queue).await;
        queue.settle(vec![(one, Settlement::RetryAfter(delay))]).await.remove(0).unwrap();
    }
    queue.close().await;
    let queue = site.open();
    assert_eq!(totals(&queue), (0, 1, 0));
    queue.close().await;
    site.sql("update messages set due_at = 1");
    let queue = site.open();
    let one = take_one(&queue).await;
    assert_eq!((number(&one), one.attempt()), (1, 3), "due in the past is due now");
}

#[tokio::test]
async fn a_message_dropped_unsettled_comes_back_and_counts() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, [1]).await;
    drop(take_one(&queue).await);
    let one = take_one(&queue).await;
    assert_eq!((number(&one), one.attempt()), (1, 1));
}

#[tokio::test]
async fn a_message_released_comes_back_and_does_not_count() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, [1]).await;
    for _ in 0..2 {
        let one = take_one(&queue).await;
        assert_eq!((number(&one), one.attempt()), (1, 0));
        one.release();
    }
    acknowledge(&queue, vec![take_one(&queue).await]).await;
    assert_eq!(totals(&queue), (0, 0, 0));
}

#[tokio::test]
async fn what_a_cancelled_take_held_is_not_lost() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, 1..=5).await;
    {
        // Polled once: the command is on its way, and nobody will hear the answer.
        let mut taking = Box::pin(queue.take(5, Duration::ZERO));
        std::future::poll_fn(|context| {
            let _ = taking.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    let mut numbers = BTreeSet::new();
    while numbers.len() < 5 {
        let taken = tokio::time::timeout(DEADLINE, queue.take(5, Duration::ZERO)).await.unwrap().unwrap();
        numbers.extend(taken.iter().map(number));
        acknowledge(&queue, taken).await;
    }
    assert_eq!(totals(&queue), (0, 0, 0));
}

#[tokio::test]
async fn a_flood_of_one_gateway_does_not_hold_up_another() {
    let site = Site::new();
    let queue = site.open();
    publish_at_once(&queue, Gateway::Stripe, 0..10_000).await;
    publish_at_once(&queue, Gateway::Appmax, 10_000..10_010).await;
    let taken = queue.take(20, Duration::ZERO).await.unwrap();
    assert_eq!(taken.iter().filter(|one| one.gateway() == Gateway::Appmax).count(), 10);
    let depth = queue.depth().unwrap().by_gateway;
    let stripe = depth.into_iter().find(|(gateway, _)| *gateway == Gateway::Stripe).unwrap().1;
    assert_eq!((stripe.ready, stripe.in_flight), (9_990, 10));
}

async fn publish_at_once(queue: &Queue, gateway: Gateway, numbers: impl IntoIterator<Item = u128>) {
    let mut publishing = JoinSet::new();
    for number in numbers {
        let queue = queue.clone();
        publishing.spawn(async move { queue.publish(message(gateway, number)).await.unwrap() });
    }
    publishing.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_and_takers_at_once_lose_and_double_nothing() {
    const EACH: u128 = 25;
    let site = Site::new();
    let queue = site.open();
    let mut publishers = JoinSet::new();
    for publisher in 0..128 {
        let queue = queue.clone();
        publishers.spawn(async move { publish(&queue, publisher * EACH..(publisher + 1) * EACH).await });
    }
    let mut takers = JoinSet::new();
    for _ in 0..3 {
        let queue = queue.clone();
        takers.spawn(async move {
            let mut numbers = Vec::new();
            while let Ok(taken) = queue.take(64, Duration::from_millis(1)).await {
                numbers.extend(taken.iter().map(number));
                acknowledge(&queue, taken).await;
            }
            numbers
        });
    }
    publishers.join_all().await;
    while totals(&queue) != (0, 0, 0) {
        tokio::task::yield_now().await;
    }
    queue.close().await;
    let mut numbers: Vec<u128> = takers.join_all().await.concat();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..128 * EACH));
}

#[tokio::test]
async fn a_batch_waits_to_be_filled_but_no_longer_than_that() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, [1]).await;
    let lonely = tokio::time::timeout(DEADLINE, queue.take(3, Duration::from_millis(5))).await.unwrap().unwrap();
    assert_eq!(lonely.len(), 1);
    acknowledge(&queue, lonely).await;
    let (taken, ()) = tokio::join!(queue.take(3, DEADLINE * 2), publish(&queue, 2..=4));
    assert_eq!(taken.unwrap().iter().map(number).collect::<Vec<_>>(), [2, 3, 4]);
}

#[tokio::test]
async fn of_two_who_wait_for_one_message_one_has_it_and_the_other_waits_on() {
    let site = Site::new();
    let queue = site.open();
    let take = || async { take_one(&queue).await };
    let publishing = async {
        publish(&queue, [1]).await;
        // Both have looked by then, and one in vain.
        while totals(&queue) != (0, 0, 1) {
            tokio::task::yield_now().await;
        }
        publish(&queue, [2]).await;
    };
    let (one, other, ()) = tokio::join!(take(), take(), publishing);
    assert_eq!(BTreeSet::from([number(&one), number(&other)]), BTreeSet::from([1, 2]));
    let nothing = tokio::time::timeout(DEADLINE, queue.take(0, Duration::ZERO));
    publish(&queue, [3]).await;
    assert!(nothing.await.unwrap().unwrap().is_empty(), "whoever wants nothing waits for nothing more");
}

#[tokio::test]
async fn it_is_said_when_so_many_are_ready_or_none_will_be() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, [1]).await;
    let mut two = Box::pin(queue.ready(2));
    assert!(futures_util::FutureExt::now_or_never(&mut two).is_none());
    queue.ready(1).await.unwrap();
    publish(&queue, [2]).await;
    tokio::time::timeout(DEADLINE, two).await.unwrap().unwrap();
    queue.close().await;
    assert!(matches!(queue.ready(1).await, Err(QueueError::Closed)));
}

#[tokio::test]
async fn everybody_who_waits_is_told_when_the_queue_closes() {
    let site = Site::new();
    let queue = site.open();
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.take(1, Duration::ZERO).await }
    });
    tokio::task::yield_now().await;
    tokio::join!(queue.close(), queue.close());
    assert!(matches!(tokio::time::timeout(DEADLINE, waiting).await.unwrap().unwrap(), Err(QueueError::Closed)));
    assert!(matches!(queue.publish(message(Gateway::Stripe, 1)).await, Err(PublishError::Closed)));
    assert!(matches!(queue.take(1, Duration::ZERO).await, Err(QueueError::Closed)));
    assert!(matches!(queue.health(), Err(Unhealthy::Closed)));
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_under_load_keeps_exactly_what_was_acknowledged() {
    let site = Site::new();
    let queue = site.open();
    let mut publishing = JoinSet::new();
    for number in 0..2_000 {
        let queue = queue.clone();
        publishing
            .spawn(async move { queue.publish(message(Gateway::Stripe, number)).await.is_ok().then_some(number) });
    }
    while totals(&queue).0 == 0 {
        tokio::task::yield_now().await;
    }
    queue.close().await;
    let stored: BTreeSet<u128> = publishing.join_all().await.into_iter().flatten().collect();
    let mut found = drain(&site.open()).await;
    found.sort_unstable();
    assert!(!found.is_empty());
    assert!(found.into_iter().eq(stored));
}

#[tokio::test]
async fn a_message_of_another_queue_is_refused_and_stays_where_it_was_while_ours_are_settled() {
    let (here, there) = (Site::new(), Site::new());
    let (queue, other) = (here.open(), there.open());
    publish(&queue, [1]).await;
    publish(&other, [2]).await;
    let taken = [take_one(&other).await, take_one(&queue).await];
    let settled = queue.settle(taken.into_iter().map(|one| (one, Settlement::Ack)).collect()).await;
    assert!(matches!(settled[..], [Err(QueueError::Foreign), Ok(())]), "{settled:?}");
    assert_eq!(totals(&queue), (0, 0, 0));
    assert_eq!(number(&take_one(&other).await), 2);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_holds_up_nobody_but_itself() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, 1..=3).await;
    // Somebody puts something in the table's place that fails for one of its rows.
    let beside = rusqlite::Connection::open(site.file()).unwrap();
    beside
        .execute_batch(
            "alter table messages rename to held;
             create view messages as select seq, id, case seq when 2 then abs(-9223372036854775807 - 1) else head end as head,
                 body, gateway, attempt, due_at, size from held",
        )
        .unwrap();
    let taken = queue.take(3, Duration::ZERO).await.unwrap();
    assert_eq!(taken.iter().map(number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(totals(&queue), (0, 1, 2), "it is tried again later");
    queue.health().unwrap_err();
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_an_error_and_stay_for_later() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, 1..=2).await;
    rusqlite::Connection::open(site.file()).unwrap().execute_batch("alter table messages rename to held").unwrap();
    assert!(matches!(queue.take(2, Duration::ZERO).await, Err(QueueError::Storage(_))));
    assert_eq!(totals(&queue), (0, 2, 0));
}

#[tokio::test]
async fn a_row_that_says_nothing_sensible_still_comes_out_to_be_put_away() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, 1..=3).await;
    queue.close().await;
    site.sql("update messages set head = x'ff00' where seq = 1");
    site.sql("update messages set gateway = 'acquirer', id = x'01' where seq = 2");
    let queue = site.open();
    let taken = queue.take(3, Duration::ZERO).await.unwrap();
    assert_eq!(taken.len(), 3);
    assert_eq!(number(&taken[0]), 1);
    let opened = keys().open(taken[0].head(), taken[0].body().clone());
    assert_eq!(opened, Err(Undecodable::NotOurs { head_bytes: 2 }));
    assert!(keys().open(taken[1].head(), taken[1].body().clone()).is_ok(), "the head still says whose it is");
    acknowledge(&queue, taken).await;
    assert_eq!(totals(&queue), (0, 0, 0));
}
