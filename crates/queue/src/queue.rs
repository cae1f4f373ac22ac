//! The handle everybody holds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use afluente_model::Gateway;
use tokio::sync::{mpsc, oneshot, watch};

use crate::embedded::shared::{Command, Shared, Signal};
use crate::embedded::{self, EmbeddedOptions};
use crate::error::{OpenError, PublishError, QueueError, StorageError};
use crate::received::{Received, Settlement};
use crate::wire::Sealed;

/// How long a failed commit counts against [`Queue::is_healthy`] if no commit succeeds after it. Health must come back
/// by itself: a load balancer that sends nothing to a sick instance would keep it from ever showing that it is well.
const FAILURE_SHOWN_FOR: Duration = Duration::from_secs(10);

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
    /// Opens the queue of a folder and holds it until [`Queue::close`], until the last clone is dropped, or until the
    /// process ends in whatever way. The whole file is checked first, which takes about a second a gigabyte.
    #[allow(clippy::needless_pass_by_value, reason = "options are made for this one call")]
    pub fn open_embedded(options: EmbeddedOptions) -> Result<Queue, OpenError> {
        let (shared, commands) = embedded::open(&options)?;
        Ok(Queue { commands, shared })
    }

    /// Stores a message. `Ok` only after the commit that holds it is fsynced.
    ///
    /// After an error it is not stored, save that a crash right after [`PublishError::Storage`] may bring it back.
    /// Dropping the future before it is ready may leave it stored; publishing it again stores it twice. A disk that
    /// hangs makes this wait as long: callers set their own deadline.
    pub async fn publish(&self, message: Sealed) -> Result<(), PublishError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Publish(message, reply)).await.map_err(|_| PublishError::Closed)?;
        answer.await.map_err(|_| PublishError::Closed)?
    }

    /// Takes up to `most` messages, waiting for the first as long as it takes and for more no longer than `linger`.
    ///
    /// Gateways take turns message by message; of each the oldest comes first. Any number of callers may wait at once.
    /// Dropping the future loses nothing: what it held at that moment comes back as a dropped [`Received`] does.
    pub async fn take(&self, most: usize, linger: Duration) -> Result<Vec<Received>, QueueError> {
        let mut signal = self.shared.signal.subscribe();
        loop {
            self.wait(&mut signal, 1).await?;
            // In vain or not: what there is by then is taken.
            let _ = tokio::time::timeout(linger, self.wait(&mut signal, most)).await;
            let taken = self.take_ready(most).await?;
            if !taken.is_empty() || most == 0 {
                return Ok(taken);
            }
        }
    }

    /// Ends when so many are ready. Takes nothing: it may be dropped at any time.
    pub async fn ready(&self, count: usize) -> Result<(), QueueError> {
        let mut signal = self.shared.signal.subscribe();
        let seen = signal.wait_for(|seen| seen.closed || seen.ready >= count as u64).await;
        if seen.is_ok_and(|seen| !seen.closed) { Ok(()) } else { Err(QueueError::Closed) }
    }

    /// Takes up to `most` of what is ready now, which may be nothing.
    pub async fn take_ready(&self, most: usize) -> Result<Vec<Received>, QueueError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Take(most, reply)).await.map_err(|_| QueueError::Closed)?;
        Ok(answer.await.map_err(|_| QueueError::Closed)??)
    }

    /// Until so many are ready or a delayed message is due.
    async fn wait(&self, signal: &mut watch::Receiver<Signal>, count: usize) -> Result<(), QueueError> {
        loop {
            let seen = *signal.borrow_and_update();
            if seen.closed || self.commands.is_closed() {
                return Err(QueueError::Closed);
            }
            if seen.ready >= count as u64 {
                return Ok(());
            }
            let changed = signal.changed();
            let Some(due_at) = seen.next_due else {
                changed.await.map_err(|_| QueueError::Closed)?;
                continue;
            };
            match tokio::time::timeout(self.shared.clock.until(due_at), changed).await {
                Ok(changed) => changed.map_err(|_| QueueError::Closed)?,
                Err(_) => return Ok(()),
            }
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

    /// Whether publishing can be expected to work: the queue is open, and nothing failed within the last ten seconds
    /// that no successful commit followed. A full queue is healthy.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.commands.is_closed()
            && self.shared.failure().is_none_or(|(since, _)| since.elapsed() >= FAILURE_SHOWN_FOR)
    }

    /// The last failure that no successful commit followed.
    #[must_use]
    pub fn last_error(&self) -> Option<StorageError> {
        self.shared.failure().map(|(_, error)| error)
    }

    /// Ends it: what was handed over is carried out, the log is moved into the file, the folder is free when this
    /// returns. Twice is once.
    pub async fn close(&self) {
        // An error means that somebody else closed it: that end is waited for all the same.
        let _ = self.commands.send(Command::Close).await;
        let _ = self.shared.signal.subscribe().wait_for(|signal| signal.closed).await;
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}
