//! The handle everybody holds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use afluente_model::Gateway;
use tokio::sync::{mpsc, oneshot, watch};

use crate::embedded::shared::{Command, Shared, Signal};
use crate::embedded::{self, EmbeddedOptions};
use crate::error::{OpenError, PublishError, QueueError};
use crate::received::{Received, Settlement};
use crate::wire::Sealed;

/// How many messages of one gateway are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Can be taken now.
    pub ready: u64,
    /// Wait for their time.
    pub delayed: u64,
    /// Taken and not settled.
    pub in_flight: u64,
    /// Bytes of heads and bodies, in all three states.
    pub bytes: u64,
}

/// A durable queue. Cheap to clone; every clone is the same queue.
#[derive(Clone)]
pub struct Queue {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

impl Queue {
    /// Opens the queue of a folder and holds it until [`Queue::close`], or until the process ends in whatever way.
    #[allow(clippy::needless_pass_by_value, reason = "options are made for this one call")]
    pub fn open_embedded(options: EmbeddedOptions) -> Result<Queue, OpenError> {
        let (shared, commands) = embedded::open(&options)?;
        Ok(Queue { commands, shared })
    }

    /// Stores a message. `Ok` only after the commit that holds it is fsynced.
    ///
    /// Dropping the future before it is ready may leave the message stored; publishing it again stores it twice.
    pub async fn publish(&self, message: Sealed) -> Result<(), PublishError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Publish(message, reply)).await.map_err(|_| PublishError::Closed)?;
        answer.await.map_err(|_| PublishError::Closed)?
    }

    /// Takes up to `most` messages, waiting for the first as long as it takes and for more no longer than `linger`. Fair
    /// over gateways, the oldest of each first.
    pub async fn take(&self, most: usize, linger: Duration) -> Result<Vec<Received>, QueueError> {
        let mut signal = self.shared.signal.subscribe();
        loop {
            let taken = self.take_now(most).await?;
            if taken.is_empty() {
                self.wait(&mut signal).await?;
                continue;
            }
            return Ok(self.fill(taken, most, linger).await);
        }
    }

    async fn fill(&self, mut taken: Vec<Received>, most: usize, linger: Duration) -> Vec<Received> {
        if taken.len() < most && !linger.is_zero() {
            tokio::time::sleep(linger).await;
            // What was taken is handed over whether or not there is more.
            taken.extend(self.take_now(most - taken.len()).await.unwrap_or_default());
        }
        taken
    }

    async fn take_now(&self, most: usize) -> Result<Vec<Received>, QueueError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Take(most, reply)).await.map_err(|_| QueueError::Closed)?;
        Ok(answer.await.map_err(|_| QueueError::Closed)??)
    }

    /// Until something is ready: told by the thread, or when the next delayed message is due.
    async fn wait(&self, signal: &mut watch::Receiver<Signal>) -> Result<(), QueueError> {
        let seen = *signal.borrow_and_update();
        if seen.closed {
            return Err(QueueError::Closed);
        }
        if seen.ready > 0 {
            return Ok(());
        }
        let changed = signal.changed();
        match seen.next_due {
            None => changed.await.map_err(|_| QueueError::Closed),
            // In time or changed before: both are a reason to look again.
            Some(due_at) => match tokio::time::timeout(until(due_at), changed).await {
                Ok(changed) => changed.map_err(|_| QueueError::Closed),
                Err(_) => Ok(()),
            },
        }
    }

    /// Settles messages in one commit. `Ok` after it is fsynced; on an error they come back by themselves.
    pub async fn settle(&self, settled: Vec<(Received, Settlement)>) -> Result<(), QueueError> {
        if settled.iter().any(|(message, _)| !Arc::ptr_eq(&message.shared, &self.shared)) {
            return Err(QueueError::Foreign);
        }
        // A place in the channel first: until the command is handed over, a message still gives itself back.
        let place = self.commands.reserve().await.map_err(|_| QueueError::Closed)?;
        let tickets = settled.into_iter().map(|(mut message, settlement)| {
            message.settled = true;
            (message.ticket, message.attempt, settlement)
        });
        let (reply, answer) = oneshot::channel();
        place.send(Command::Settle(tickets.collect(), reply));
        answer.await.map_err(|_| QueueError::Closed)?
    }

    /// How many messages of each gateway are where. From memory; costs nothing.
    #[must_use]
    pub fn depth(&self) -> Vec<(Gateway, Depth)> {
        self.shared.depth()
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// Bytes that may be held.
    #[must_use]
    pub fn limit_bytes(&self) -> u64 {
        self.shared.limit_bytes
    }

    /// Whether the last commit or read succeeded. A queue that fails goes on trying with the next.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.shared.healthy.load(Ordering::Relaxed)
    }

    /// Ends it: what was handed over is committed, the log is moved into the file, the folder is free. Twice is once.
    pub async fn close(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Close(reply)).await.is_ok() {
            // The thread answers, or is gone: closed either way.
            let _ = answer.await;
        }
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

fn until(due_at: i64) -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    Duration::from_micros(u64::try_from(due_at - now).unwrap_or(0))
}
