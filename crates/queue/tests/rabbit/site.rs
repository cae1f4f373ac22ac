//! Queues of a test's own, and messages to put into them.

use std::future::Future;
use std::time::{Duration, Instant};

use afluente_model::{Delivery, Gateway, Timestamp};
use afluente_queue::{Queue, RabbitOptions, Received, SealKey, SealKeys, Sealed, Settlement};
use afluente_testkit::Corner;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// Nothing here takes as long, even on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) fn options(corner: &Corner) -> RabbitOptions {
    let (prefix, url) = (corner.prefix().to_owned(), corner.url().parse().unwrap());
    // Only who may be killed has to have written its queues down.
    RabbitOptions { prefix, first_wait: Duration::ZERO, ..RabbitOptions::new(url) }
}

/// The queues of a corner whose broker will be killed, connected.
pub(crate) async fn open_to_be_killed(corner: &Corner) -> Queue {
    let first_wait = RabbitOptions::new(corner.url().parse().unwrap()).first_wait;
    connected(Queue::open_rabbit(RabbitOptions { first_wait, ..options(corner) }).unwrap()).await
}

/// The queues of a corner, connected.
pub(crate) async fn open(corner: &Corner) -> Queue {
    connected(Queue::open_rabbit(options(corner)).unwrap()).await
}

async fn connected(queue: Queue) -> Queue {
    let started = Instant::now();
    while let Err(error) = queue.health() {
        assert!(started.elapsed() < DEADLINE, "not connected in time: {error}");
        sleep(Duration::from_millis(20)).await;
    }
    queue
}

pub(crate) fn keys() -> SealKeys {
    SealKeys::new(SealKey::from_bytes([7; 32]), [])
}

/// A delivery whose id is this number.
pub(crate) fn delivery(gateway: Gateway, number: u128) -> Delivery {
    let body = format!("{{\"number\":{number},\"é\":\"\\u0000\"}}");
    let received_at = Timestamp::from_micros(1_790_000_000_123_456).unwrap();
    Delivery { gateway, received_at, ..afluente_testkit::delivery(Uuid::from_u128(number), body) }
}

pub(crate) fn message(number: u128) -> Sealed {
    keys().seal(&delivery(Gateway::Stripe, number))
}

pub(crate) fn number(received: &Received) -> u128 {
    received.id().0.as_u128()
}

pub(crate) async fn publish(queue: &Queue, numbers: impl IntoIterator<Item = u128>) {
    for number in numbers {
        timeout(DEADLINE, queue.publish(message(number))).await.unwrap().unwrap();
    }
}

/// Takes this many, in whatever batches they come.
pub(crate) async fn take(queue: &Queue, count: usize) -> Vec<Received> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let more = timeout(DEADLINE, queue.take(count - taken.len(), Duration::ZERO)).await;
        taken.extend(more.unwrap_or_else(|_| panic!("{} of {count} came", taken.len())).unwrap());
    }
    taken
}

pub(crate) async fn take_one(queue: &Queue) -> Received {
    take(queue, 1).await.remove(0)
}

pub(crate) async fn acknowledge(queue: &Queue, taken: Vec<Received>) {
    let settled = taken.into_iter().map(|one| (one, Settlement::Ack)).collect();
    queue.settle(settled).await.into_iter().for_each(Result::unwrap);
}

/// Waits for a condition.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < DEADLINE, "not in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
