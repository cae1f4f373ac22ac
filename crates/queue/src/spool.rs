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

#[cfg(test)]
mod tests {
    use afluente_testkit::delivery;
    use uuid::Uuid;

    use super::*;
    use crate::seal::{SealKey, SealKeys};

    const HOUR: Duration = Duration::from_hours(1);

    fn message(number: u128) -> Sealed {
        SealKeys::new(SealKey::from_bytes([1; 32]), []).seal(&delivery(Uuid::from_u128(number), "x"))
    }

    fn open(folder: &tempfile::TempDir) -> Spool {
        Spool::open(&EmbeddedOptions::new(folder.path())).unwrap()
    }

    /// A new one with so many messages.
    async fn holding(folder: &tempfile::TempDir, messages: u128) -> Spool {
        let spool = open(folder);
        for number in 0..messages {
            spool.publish(message(number)).await.unwrap();
        }
        spool
    }

    async fn settle(spool: &Spool, taken: Vec<Handed<Lease>>, settlement: Settlement) {
        spool.queue().settle(taken.into_iter().map(|message| (message.lease, settlement)).collect()).await.unwrap();
    }

    #[tokio::test]
    async fn it_counts_what_waits_what_is_delayed_and_what_is_being_sent() {
        let folder = tempfile::tempdir().unwrap();
        let spool = holding(&folder, 5).await;
        settle(&spool, spool.queue().take_ready(1).await.unwrap(), Settlement::RetryAfter(HOUR)).await;
        let sending = spool.queue().take_ready(2).await.unwrap();
        let (held, bytes) = (spool.held(), 5 * message(0).size());
        assert_eq!((held.messages, held.bytes, held.limit_bytes), (5, bytes, 1 << 30));
        assert_eq!(held.to_string(), format!("5 deliveries wait in the spool, {bytes} of 1073741824 bytes"));
        settle(&spool, sending, Settlement::Ack).await;
        assert_eq!(spool.held().messages, 3);
    }

    #[tokio::test]
    async fn it_knows_since_when_it_is_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let spool = open(&folder);
        assert!(spool.filled().is_none(), "nothing lies in it yet");
        let before = Instant::now();
        spool.publish(message(1)).await.unwrap();
        let first = spool.held().since;
        assert!(first > Duration::ZERO && first <= before.elapsed());
        spool.publish(message(2)).await.unwrap();
        assert!(spool.held().since > first);
        spool.queue().close().await;
        let spool = open(&folder);
        assert!(spool.filled().is_some(), "what an earlier process left waits since now");
        settle(&spool, spool.queue().take_ready(2).await.unwrap(), Settlement::Ack).await;
        assert_eq!((spool.held().messages, spool.held().since), (0, Duration::ZERO));
    }

    #[test]
    fn it_is_full_when_its_bound_is_reached() {
        let of = |bytes| Spooled { messages: 1, bytes, limit_bytes: 100, since: HOUR };
        assert_eq!([99, 100, 101].map(|bytes| of(bytes).is_full()), [false, true, true]);
    }

    #[tokio::test]
    async fn what_is_not_confirmed_stays_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let spool = holding(&folder, 3).await;
        let publish = async |message: Sealed| match message.id.0.as_u128() {
            1 => Err(PublishError::Closed),
            _ => Ok(()),
        };
        let taken = spool.queue().take_ready(3).await.unwrap();
        let poured = pour(spool.queue(), taken, publish).await.unwrap();
        assert!(matches!(poured, Poured { moved: 2, refused: Some(PublishError::Closed) }), "{poured:?}");
        let left = spool.queue().take(3, Duration::ZERO).await.unwrap();
        assert_eq!(left.iter().map(|message| message.sealed.id.0.as_u128()).collect::<Vec<_>>(), [1]);
        let poured = pour(spool.queue(), left, async |_| Err(PublishError::Closed)).await.unwrap();
        assert_eq!((poured.moved, spool.held().messages), (0, 1));
    }
}
