//! A folder with a queue, and messages to put into it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use afluente_model::{Delivery, Gateway, Timestamp};
use afluente_queue::embedded::QUEUE_FILE;
use afluente_queue::{Depth, EmbeddedOptions, OpenError, Queue, Received, SealKey, SealKeys, Sealed, Settlement};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    pub(crate) fn new() -> Site {
        Site { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path().join(QUEUE_FILE)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path().join(format!("{QUEUE_FILE}-wal"))
    }

    pub(crate) fn options(&self) -> EmbeddedOptions {
        EmbeddedOptions::new(self.path())
    }

    pub(crate) fn try_open(&self) -> Result<Queue, OpenError> {
        Queue::open_embedded(self.options())
    }

    pub(crate) fn open(&self) -> Queue {
        self.try_open().unwrap()
    }

    /// The file as another program sees it. The queue must be closed.
    pub(crate) fn sql(&self, statement: &str) {
        rusqlite::Connection::open(self.file()).unwrap().execute_batch(statement).unwrap();
    }
}

pub(crate) fn keys() -> SealKeys {
    SealKeys::new(SealKey::from_bytes([7; 32]), [])
}

/// A delivery whose id is this number.
pub(crate) fn delivery(gateway: Gateway, number: u128, body: &[u8]) -> Delivery {
    let received_at = Timestamp::from_micros(1_790_000_000_123_456).unwrap();
    Delivery { gateway, received_at, ..afluente_testkit::delivery(Uuid::from_u128(number), body) }
}

pub(crate) fn message(gateway: Gateway, number: u128) -> Sealed {
    keys().seal(&delivery(gateway, number, format!("{{\"number\":{number}}}").as_bytes()))
}

/// A message whose head and body are together this large.
pub(crate) fn message_of(number: u128, bytes: u64) -> Sealed {
    let head = keys().seal(&delivery(Gateway::Stripe, number, b"")).size();
    keys().seal(&delivery(Gateway::Stripe, number, &vec![b'x'; usize::try_from(bytes - head).unwrap()]))
}

pub(crate) fn number(received: &Received) -> u128 {
    received.id().0.as_u128()
}

pub(crate) async fn publish(queue: &Queue, numbers: impl IntoIterator<Item = u128>) {
    for number in numbers {
        queue.publish(message(Gateway::Stripe, number)).await.unwrap();
    }
}

/// Takes and acknowledges until nothing is ready; the numbers in the order they came.
pub(crate) async fn drain(queue: &Queue) -> Vec<u128> {
    let mut numbers = Vec::new();
    while ready(queue) > 0 {
        let taken = queue.take(100, Duration::ZERO).await.unwrap();
        numbers.extend(taken.iter().map(number));
        acknowledge(queue, taken).await;
    }
    numbers
}

pub(crate) async fn acknowledge(queue: &Queue, taken: Vec<Received>) {
    let settled = taken.into_iter().map(|one| (one, Settlement::Ack)).collect();
    queue.settle(settled).await.into_iter().for_each(Result::unwrap);
}

/// All gateways together.
pub(crate) fn held(queue: &Queue) -> Depth {
    queue.depth().unwrap().total()
}

pub(crate) fn ready(queue: &Queue) -> u64 {
    held(queue).ready
}

/// Ready, delayed, in flight, over all gateways.
pub(crate) fn totals(queue: &Queue) -> (u64, u64, u64) {
    let Depth { ready, delayed, in_flight, .. } = held(queue);
    (ready, delayed, in_flight)
}
