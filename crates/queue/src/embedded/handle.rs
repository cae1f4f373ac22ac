//! What the queue's users hold of the embedded backend: commands to the thread, signals from it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::lease::Lease;
use super::shared::{Command, Shared, Signal};
use super::{EmbeddedOptions, start};
use crate::error::{OpenError, PublishError, QueueError, Unhealthy};
use crate::settlement::{Handed, Held, Settlement};
use crate::wire::Sealed;

/// How long a failed commit counts against the queue's health if no commit succeeds after it. Health must come back by
/// itself: a load balancer that sends nothing to a sick instance would keep it from ever showing that it is well.
const FAILURE_SHOWN_FOR: Duration = Duration::from_secs(10);

/// An open queue of a folder. Every clone is the same one.
#[derive(Clone)]
pub(crate) struct Embedded {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

impl Embedded {
    pub(crate) fn open(options: &EmbeddedOptions) -> Result<Embedded, OpenError> {
        let (shared, commands) = start(options)?;
        Ok(Embedded::new(commands, shared))
    }

    pub(super) fn new(commands: mpsc::Sender<Command>, shared: Arc<Shared>) -> Embedded {
        Embedded { commands, shared }
    }

    pub(crate) async fn publish(&self, message: Sealed) -> Result<(), PublishError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Publish(message, reply)).await.map_err(|_| PublishError::Closed)?;
        answer.await.map_err(|_| PublishError::Closed)?
    }

    pub(crate) async fn take(&self, most: usize, linger: Duration) -> Result<Vec<Handed<Lease>>, QueueError> {
        let mut signal = self.shared.signal.subscribe();
        loop {
            self.wait(&mut signal, 1).await?;
            if !linger.is_zero() {
                // In vain or not: what there is by then is taken.
                let _ = tokio::time::timeout(linger, self.wait(&mut signal, most)).await;
            }
            let taken = self.take_ready(most).await?;
            if !taken.is_empty() || most == 0 {
                return Ok(taken);
            }
        }
    }

    pub(crate) async fn ready(&self, count: usize) -> Result<(), QueueError> {
        let mut signal = self.shared.signal.subscribe();
        let seen = signal.wait_for(|seen| seen.closed || seen.ready >= count as u64).await;
        if seen.is_ok_and(|seen| !seen.closed) { Ok(()) } else { Err(QueueError::Closed) }
    }

    pub(crate) async fn take_ready(&self, most: usize) -> Result<Vec<Handed<Lease>>, QueueError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Take(most, reply)).await.map_err(|_| QueueError::Closed)?;
        Ok(answer.await.map_err(|_| QueueError::Closed)??)
    }

    /// Until so many are ready or a delayed message is due.
    async fn wait(&self, signal: &mut watch::Receiver<Signal>, count: usize) -> Result<(), QueueError> {
        loop {
            let seen = *signal.borrow_and_update();
            if seen.closed {
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
            tokio::select! {
                biased;
                changed = changed => changed.map_err(|_| QueueError::Closed)?,
                () = self.shared.clock.reach(due_at) => return Ok(()),
            }
        }
    }

    /// All in one commit, so one answer for all.
    pub(crate) async fn settle(&self, settled: Vec<(Lease, Settlement)>) -> Result<(), QueueError> {
        // A place in the channel first: until the command is handed over, a message still gives itself back.
        let place = self.commands.reserve().await.map_err(|_| QueueError::Closed)?;
        let ended = settled.into_iter().map(|(lease, settlement)| {
            let (ticket, attempt) = lease.end();
            (ticket, attempt, settlement)
        });
        let (reply, answer) = oneshot::channel();
        place.send(Command::Settle(ended.collect(), reply));
        answer.await.map_err(|_| QueueError::Closed)?
    }

    pub(crate) fn owns(&self, lease: &Lease) -> bool {
        lease.is_of(&self.shared)
    }

    pub(crate) fn depth(&self) -> Held {
        Held { by_gateway: self.shared.depth(), limit_bytes: self.shared.limit_bytes }
    }

    pub(crate) fn health(&self) -> Result<(), Unhealthy> {
        if self.commands.is_closed() {
            return Err(Unhealthy::Closed);
        }
        let failure = self.shared.failure().filter(|(since, _)| since.elapsed() < FAILURE_SHOWN_FOR);
        failure.map_or(Ok(()), |(_, error)| Err(Unhealthy::Failing(error)))
    }

    pub(crate) async fn close(&self) {
        // An error means that somebody else closed it: that end is waited for all the same.
        let _ = self.commands.send(Command::Close).await;
        let _ = self.shared.signal.subscribe().wait_for(|signal| signal.closed).await;
    }
}
