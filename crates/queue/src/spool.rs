//! The spool: where an ingress keeps deliveries while its broker is away, and how they leave it.
//!
//! An embedded queue in a folder of its own, with the same promise: what it took is fsynced. It is used only once the broker
//! has been away for a while; order does not matter to anybody, so what comes later may well arrive earlier.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::embedded::{Embedded, EmbeddedOptions, Lease};
use crate::error::{OpenError, PublishError, QueueError};
use crate::settlement::{Depth, Handed, Settlement};
use crate::wire::Sealed;

/// Messages moved at a time.
pub(crate) const MOVED_AT_ONCE: usize = 64;

/// An open spool. Every clone is the same.
#[derive(Clone)]
pub(crate) struct Spool {
    queue: Embedded,
    limit_bytes: u64,
    /// Since when something lies in it.
    filled: Arc<Mutex<Option<Instant>>>,
}

/// What lies in a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spooled {
    /// Deliveries.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes it may hold. Past it deliveries are refused.
    pub limit_bytes: u64,
    /// How long it has not been empty.
    pub since: Duration,
}

impl Spooled {
    /// Whether it takes nothing more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes >= self.limit_bytes
    }
}

impl fmt::Display for Spooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spooled { messages, bytes, limit_bytes, .. } = self;
        write!(f, "{messages} deliveries wait in the spool, {bytes} of {limit_bytes} bytes")
    }
}

impl Spool {
    /// Opens it, with whatever an earlier process left there.
    pub(crate) fn open(options: &EmbeddedOptions) -> Result<Spool, OpenError> {
        let queue = Embedded::open(options)?;
        let spool = Spool { queue, limit_bytes: options.limit_bytes, filled: Arc::default() };
        if spool.held().messages > 0 {
            *spool.filled() = Some(Instant::now());
        }
        Ok(spool)
    }

    pub(crate) async fn publish(&self, message: Sealed) -> Result<(), PublishError> {
        self.queue.publish(message).await?;
        self.filled().get_or_insert_with(Instant::now);
        Ok(())
    }

    pub(crate) fn held(&self) -> Spooled {
        let Depth { ready, delayed, in_flight, bytes } = self.queue.depth().total();
        let messages = ready + delayed + in_flight;
        let mut filled = self.filled();
        if messages == 0 {
            *filled = None;
        }
        let since = filled.map_or(Duration::ZERO, |since| since.elapsed());
        Spooled { messages, bytes, limit_bytes: self.limit_bytes, since }
    }

    fn filled(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.filled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn queue(&self) -> &Embedded {
        &self.queue
    }
}

/// Moves messages that were taken: confirmed there, and only then acknowledged here. A kill in between leaves them in both,
/// which changes nothing. How many went, and why the others did not.
pub(crate) async fn pour<F>(
    from: &Embedded,
    taken: Vec<Handed<Lease>>,
    publish: impl Fn(Sealed) -> F,
) -> Result<Poured, QueueError>
where
    F: Future<Output = Result<(), PublishError>>,
{
    let published = join_all(taken.iter().map(|message| publish(message.sealed.clone()))).await;
    let mut poured = Poured::default();
    let mut done = Vec::with_capacity(taken.len());
    for (message, published) in taken.into_iter().zip(published) {
        match published {
            Ok(()) => done.push((message.lease, Settlement::Ack)),
            Err(error) => {
                poured.refused.get_or_insert(error);
                message.lease.release();
            }
        }
    }
    poured.moved = done.len() as u64;
    if !done.is_empty() {
        from.settle(done).await?;
    }
    Ok(poured)
}

/// How moving a few messages went.
#[derive(Clone, Debug, Default)]
pub struct Poured {
    /// How many went.
    pub moved: u64,
    /// Why others did not; they stay where they were.
    pub refused: Option<PublishError>,
}
