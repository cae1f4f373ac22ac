//! What the handles and the writing thread share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use afluente_model::Gateway;
use tokio::sync::{mpsc, oneshot, watch};

use super::clock::Clock;
use super::lease::{Lease, Ticket};
use crate::error::{PublishError, QueueError, StorageError};
use crate::settlement::{Depth, Handed, Settlement};
use crate::wire::Sealed;

/// Who waits for messages. They settle or give back what they drop, so an answer nobody hears loses nothing.
pub(crate) type Taker = oneshot::Sender<Result<Vec<Handed<Lease>>, StorageError>>;

/// What the thread is asked to do.
pub(crate) enum Command {
    Publish(Sealed, oneshot::Sender<Result<(), PublishError>>),
    Settle(Vec<(Ticket, u32, Settlement)>, oneshot::Sender<Result<(), QueueError>>),
    Take(usize, Taker),
    /// Look at what was given back.
    Look,
    Close,
}

/// What takers wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signal {
    /// Messages that can be taken now.
    pub(crate) ready: u64,
    /// When the next delayed one can be, microseconds since 1970.
    pub(crate) next_due: Option<i64>,
    /// The thread has ended; file and lock are let go.
    pub(crate) closed: bool,
}

/// Numbers for readers, hand-backs from dropped messages.
pub(crate) struct Shared {
    pub(crate) signal: watch::Sender<Signal>,
    pub(crate) clock: Clock,
    pub(crate) limit_bytes: u64,
    depth: Mutex<Vec<(Gateway, Depth)>>,
    given_back: Mutex<Vec<(Ticket, u32)>>,
    failure: Mutex<Option<(Instant, StorageError)>>,
    commands: mpsc::WeakSender<Command>,
}

impl Shared {
    pub(crate) fn new(limit_bytes: u64, clock: Clock, commands: mpsc::WeakSender<Command>) -> Shared {
        Shared {
            signal: watch::channel(Signal::default()).0,
            clock,
            limit_bytes,
            depth: Mutex::new(Vec::new()),
            given_back: Mutex::new(Vec::new()),
            failure: Mutex::new(None),
            commands,
        }
    }

    /// A message nobody settled. It is put back by the thread, which may be asleep.
    pub(crate) fn give_back(&self, ticket: Ticket, attempt: u32) {
        lock(&self.given_back).push((ticket, attempt));
        if let Some(commands) = self.commands.upgrade() {
            // A full channel means that the thread is awake and will look by itself.
            let _ = commands.try_send(Command::Look);
        }
    }

    pub(crate) fn take_given_back(&self) -> Vec<(Ticket, u32)> {
        std::mem::take(&mut *lock(&self.given_back))
    }

    pub(crate) fn depth(&self) -> Vec<(Gateway, Depth)> {
        lock(&self.depth).clone()
    }

    pub(crate) fn tell(&self, depth: Vec<(Gateway, Depth)>, signal: Signal) {
        *lock(&self.depth) = depth;
        self.signal.send_if_modified(|old| std::mem::replace(old, signal) != signal);
    }

    /// The last failure that no successful commit followed, and since when.
    pub(crate) fn failure(&self) -> Option<(Instant, StorageError)> {
        lock(&self.failure).clone()
    }

    /// Remembers a failure; true if all was well before.
    pub(crate) fn failed(&self, error: &StorageError) -> bool {
        lock(&self.failure).replace((Instant::now(), error.clone())).is_none()
    }

    /// Forgets the failure; true if there was one.
    pub(crate) fn recovered(&self) -> bool {
        lock(&self.failure).take().is_some()
    }
}

/// A panic while the lock is held leaves plain numbers and a list behind, which are as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
