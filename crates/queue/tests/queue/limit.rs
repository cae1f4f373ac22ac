//! What does not fit: the bound in bytes, one message's bound, the disk.

use std::time::{Duration, Instant};

use afluente_queue::{EmbeddedOptions, PublishError, Queue, Settlement, StorageError};
use tokio::task::JoinSet;

use crate::site::{Site, acknowledge, drain, held, message_of, number, publish, totals};

#[tokio::test]
async fn past_the_bound_publishing_is_refused_until_something_is_settled() {
    let site = Site::new();
    let queue = Queue::open_embedded(EmbeddedOptions { limit_bytes: 2_500, ..site.options() }).unwrap();
    queue.publish(message_of(1, 1_000)).await.unwrap();
    queue.publish(message_of(2, 1_000)).await.unwrap();
    let refused = queue.publish(message_of(3, 1_000)).await.unwrap_err();
    assert_eq!(refused.to_string(), "the queue is full: 2000 bytes held and 1000 more offered, at most 2500 allowed");
    assert_eq!((held(&queue).bytes, queue.depth().unwrap().limit_bytes, totals(&queue)), (2_000, 2_500, (2, 0, 0)));
    assert!(queue.health().is_ok(), "full is not broken");
    let taken = queue.take(1, Duration::ZERO).await.unwrap();
    assert_eq!(held(&queue).bytes, 2_000, "what is in flight still counts");
    acknowledge(&queue, taken).await;
    queue.publish(message_of(3, 1_500)).await.unwrap();
    assert_eq!(held(&queue).bytes, 2_500);
    queue.close().await;
    assert_eq!(held(&site.open()).bytes, 2_500, "counted again from the file");
}

#[tokio::test]
async fn the_bound_holds_for_publishers_that_share_a_commit() {
    let site = Site::new();
    let queue = Queue::open_embedded(EmbeddedOptions { limit_bytes: 10_000, ..site.options() }).unwrap();
    let mut publishing = JoinSet::new();
    for number in 0..100 {
        let queue = queue.clone();
        publishing.spawn(async move { queue.publish(message_of(number, 1_000)).await });
    }
    let answers = publishing.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(()) | Err(PublishError::Full { .. }))));
    assert_eq!((held(&queue).bytes, totals(&queue)), (10_000, (10, 0, 0)));
}

#[tokio::test]
async fn one_message_too_large_is_refused_alone() {
    let site = Site::new();
    let queue = Queue::open_embedded(EmbeddedOptions { message_limit_bytes: 2_000, ..site.options() }).unwrap();
    queue.publish(message_of(1, 2_000)).await.unwrap();
    let refused = queue.publish(message_of(2, 2_001)).await.unwrap_err();
    assert!(matches!(refused, PublishError::TooLarge { message_bytes: 2_001, limit_bytes: 2_000 }), "{refused}");
    assert_eq!(drain(&queue).await, [1]);
}

#[tokio::test]
async fn a_batch_of_large_bodies_is_cut() {
    let site = Site::new();
    let queue = Queue::open_embedded(EmbeddedOptions { take_bytes: 5_000, ..site.options() }).unwrap();
    for number in 0..5 {
        queue.publish(message_of(number, 2_000)).await.unwrap();
    }
    assert_eq!(queue.take(5, Duration::ZERO).await.unwrap().len(), 3);
}

/// A queue whose file is full, and how many messages are in it.
async fn full(site: &Site) -> (Queue, u64) {
    let queue = Queue::open_embedded(EmbeddedOptions { max_pages: Some(60), ..site.options() }).unwrap();
    for stored in 0.. {
        match queue.publish(message_of(stored, 10_000)).await {
            Ok(()) => {}
            Err(PublishError::Storage(error)) => {
                assert!(matches!(error, StorageError::DiskFull(_)), "{error}");
                return (queue, u64::try_from(stored).unwrap());
            }
            Err(other) => panic!("expected a full disk, got {other}"),
        }
    }
    unreachable!("the disk was never full")
}

#[tokio::test]
async fn a_full_disk_is_said_counted_right_and_left_behind_by_settling() {
    let site = Site::new();
    let (queue, stored) = full(&site).await;
    assert!(stored > 10);
    assert_eq!((totals(&queue), held(&queue).bytes), ((stored, 0, 0), stored * 10_000));
    let unhealthy = queue.health().unwrap_err();
    assert_eq!(unhealthy.to_string(), "the last commit failed (disk_full); look at the disk");
    let taken = queue.take(3, Duration::ZERO).await.unwrap();
    assert_eq!(totals(&queue), (stored - 3, 0, 3));
    acknowledge(&queue, taken).await;
    queue.health().unwrap();
    queue.publish(message_of(1_000, 10_000)).await.unwrap();
    assert_eq!((totals(&queue), held(&queue).bytes), ((stored - 2, 0, 0), (stored - 2) * 10_000));
    queue.close().await;
    let left = drain(&site.open()).await;
    assert!(left.into_iter().eq((3..u128::from(stored)).chain([1_000])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_on_a_full_disk_do_not_keep_workers_from_settling() {
    let site = Site::new();
    let (queue, stored) = full(&site).await;
    let mut publishers = JoinSet::new();
    for publisher in 0..32 {
        let queue = queue.clone();
        // Larger than the whole file may be, so every commit with one of them fails however much was settled.
        publishers.spawn(async move { while queue.publish(message_of(publisher, 600_000)).await.is_err() {} });
    }
    for _ in 0..stored {
        let taken = queue.take(1, Duration::ZERO).await.unwrap();
        let settled = taken.into_iter().map(|one| (one, Settlement::Ack)).collect();
        queue.settle(settled).await.remove(0).unwrap();
    }
    publishers.shutdown().await;
    assert_eq!(totals(&queue), (0, 0, 0));
}

#[tokio::test]
async fn room_that_a_flood_took_is_given_back_to_the_disk() {
    let site = Site::new();
    let queue = site.open();
    for number in 0..40 {
        queue.publish(message_of(number, 1_000_000)).await.unwrap();
    }
    assert_eq!(drain(&queue).await.len(), 40);
    queue.close().await;
    let (queue, opened) = (site.open(), Instant::now());
    let beside = rusqlite::Connection::open(site.file()).unwrap();
    let pages = || beside.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0)).unwrap();
    let full = pages();
    // It is looked at once a second at most, while there is something to do.
    while pages() == full {
        assert!(opened.elapsed() < Duration::from_secs(30), "nothing was given back of {full} pages");
        publish(&queue, [100]).await;
        drain(&queue).await;
    }
}

#[tokio::test]
async fn a_settlement_that_cannot_be_written_brings_its_messages_back_uncounted() {
    let site = Site::new();
    let queue = site.open();
    queue.publish(message_of(1, 1_000)).await.unwrap();
    let taken = queue.take(1, Duration::ZERO).await.unwrap();
    let other = rusqlite::Connection::open(site.file()).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let refused = queue.settle(taken.into_iter().map(|one| (one, Settlement::Ack)).collect()).await.remove(0);
    assert!(refused.is_err(), "another program holds the file's write lock");
    other.execute_batch("rollback").unwrap();
    assert_eq!(totals(&queue), (0, 1, 0));
    let again = queue.take(1, Duration::ZERO).await.unwrap();
    assert_eq!(again.iter().map(|one| (number(one), one.attempt())).collect::<Vec<_>>(), [(1, 0)]);
    acknowledge(&queue, again).await;
    queue.health().unwrap();
}
