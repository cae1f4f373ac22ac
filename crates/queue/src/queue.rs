//! The handle everybody holds.

use std::time::Duration;

use crate::embedded::{Embedded, EmbeddedOptions, Steps};
use crate::error::{OpenError, PublishError, QueueError, Spooling, Unhealthy};
use crate::rabbit::{Rabbit, RabbitOptions};
use crate::received::{Lease, Received};
use crate::settlement::{Handed, Held, Settled, Settlement};
use crate::spool::{self, Poured, Spooled};
use crate::wire::Sealed;

/// A durable queue. Cheap to clone; every clone is the same queue.
#[derive(Clone)]
pub struct Queue {
    backend: Backend,
}

#[derive(Clone)]
enum Backend {
    Embedded(Embedded),
    Rabbit(Rabbit),
}

impl Queue {
    /// Opens the queue of a folder and holds it until [`Queue::close`], until the last clone is dropped, or until the
    /// process ends in whatever way. The whole file is checked first, which takes about a second a gigabyte.
    #[allow(clippy::needless_pass_by_value, reason = "options are made for this one call")]
    pub fn open_embedded(options: EmbeddedOptions) -> Result<Queue, OpenError> {
        Ok(Queue { backend: Backend::Embedded(Embedded::open(&options)?) })
    }

    /// The same without its thread: [`Steps`] carries out what is asked, whenever it is told to.
    pub fn open_stepped(options: &EmbeddedOptions, now_micros: i64) -> Result<(Queue, Steps), OpenError> {
        let (queue, steps) = Steps::open(options, now_micros)?;
        Ok((Queue { backend: Backend::Embedded(queue) }, steps))
    }

    /// Opens the queues on a broker, and comes back to it whenever it was away. Only the spool, if there is to be one, can
    /// fail to open. Must be called on the runtime.
    pub fn open_rabbit(options: RabbitOptions) -> Result<Queue, OpenError> {
        Ok(Queue { backend: Backend::Rabbit(Rabbit::open(options)?) })
    }

    /// Stores a message. `Ok` only when it is durable.
    ///
    /// After an error it may be stored all the same: a confirm can be lost on its way, and a crash right after
    /// [`PublishError::Storage`] may bring it back. Dropping the future before it is ready may leave it stored; publishing
    /// it again stores it twice. A disk that hangs makes this wait as long: callers set their own deadline.
    pub async fn publish(&self, message: Sealed) -> Result<(), PublishError> {
        match &self.backend {
            Backend::Embedded(queue) => queue.publish(message).await,
            Backend::Rabbit(queue) => queue.publish(message).await,
        }
    }

    /// Takes up to `most` messages, waiting for the first as long as it takes and for more no longer than `linger`.
    ///
    /// Gateways take turns message by message; of each the oldest comes first. Any number of callers may wait at once.
    /// Dropping the future loses nothing: what it held at that moment comes back as a dropped [`Received`] does.
    pub async fn take(&self, most: usize, linger: Duration) -> Result<Vec<Received>, QueueError> {
        match &self.backend {
            Backend::Embedded(queue) => queue.take(most, linger).await.map(received),
            Backend::Rabbit(queue) => queue.take(most, linger).await.map(received),
        }
    }

    /// Ends when so many are ready. Takes nothing: it may be dropped at any time.
    pub async fn ready(&self, count: usize) -> Result<(), QueueError> {
        match &self.backend {
            Backend::Embedded(queue) => queue.ready(count).await,
            Backend::Rabbit(queue) => queue.ready(count).await,
        }
    }

    /// Takes up to `most` of what is ready now, which may be nothing.
    pub async fn take_ready(&self, most: usize) -> Result<Vec<Received>, QueueError> {
        match &self.backend {
            Backend::Embedded(queue) => queue.take_ready(most).await.map(received),
            Backend::Rabbit(queue) => Ok(received(queue.take_ready(most))),
        }
    }

    /// Settles messages; one answer for each, in their order.
    pub async fn settle(&self, settled: Vec<(Received, Settlement)>) -> Vec<Settled> {
        match &self.backend {
            Backend::Embedded(queue) => {
                let lease = |message: Received| match message.lease {
                    Lease::Embedded(lease) => Some(lease).filter(|lease| queue.owns(lease)),
                    Lease::Rabbit(_) => None,
                };
                let (mut answers, ours) = sorted(settled, lease);
                if let Err(error) = queue.settle(ours).await {
                    answers.iter_mut().filter(|answer| answer.is_ok()).for_each(|answer| *answer = Err(error.clone()));
                }
                answers
            }
            Backend::Rabbit(queue) => {
                let handed = |Received { sealed, attempt, given_up, lease }| match lease {
                    Lease::Rabbit(lease) => Some(Handed { sealed, attempt, given_up, lease }),
                    Lease::Embedded(_) => None,
                };
                let (mut answers, ours) = sorted(settled, handed);
                let mut settled = queue.settle(ours).await.into_iter();
                for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
                    *answer = settled.next().unwrap_or(Err(QueueError::Closed));
                }
                answers
            }
        }
    }

    /// How many messages of each gateway are where, if the backend knows without asking anybody.
    #[must_use]
    pub fn depth(&self) -> Option<Held> {
        match &self.backend {
            Backend::Embedded(queue) => Some(queue.depth()),
            Backend::Rabbit(_) => None,
        }
    }

    /// Whether publishing can be expected to work, if only into the spool, or why not. A full queue is healthy. A failure
    /// that nothing followed, good or bad, is forgotten after ten seconds.
    pub fn health(&self) -> Result<Option<Spooling>, Unhealthy> {
        match &self.backend {
            Backend::Embedded(queue) => queue.health().map(|()| None),
            Backend::Rabbit(queue) => queue.health(),
        }
    }

    /// What lies in the spool, if there is one.
    #[must_use]
    pub fn spooled(&self) -> Option<Spooled> {
        match &self.backend {
            Backend::Embedded(_) => None,
            Backend::Rabbit(queue) => queue.spooled(),
        }
    }

    /// Moves a few messages that are ready to another queue: confirmed there, and only then acknowledged here. For the spool
    /// of an ingress that is no more.
    pub async fn pour_into(&self, other: &Queue) -> Result<Poured, QueueError> {
        match &self.backend {
            Backend::Embedded(queue) => {
                let taken = queue.take_ready(spool::MOVED_AT_ONCE).await?;
                spool::pour(queue, taken, |message| other.publish(message)).await
            }
            Backend::Rabbit(_) => Err(QueueError::Foreign),
        }
    }

    /// Ends it: what was handed over is carried out, what is spooled is sent if the broker is there, and the folder is free
    /// when this returns. Twice is once.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Embedded(queue) => queue.close().await,
            Backend::Rabbit(queue) => queue.close().await,
        }
    }
}

/// What is a backend's own, and an answer for each: `Ok` where it is, so far.
fn sorted<M>(
    settled: Vec<(Received, Settlement)>,
    own: impl Fn(Received) -> Option<M>,
) -> (Vec<Settled>, Vec<(M, Settlement)>) {
    let (mut answers, mut ours) = (Vec::with_capacity(settled.len()), Vec::with_capacity(settled.len()));
    for (message, settlement) in settled {
        let message = own(message);
        answers.push(message.as_ref().map(|_| ()).ok_or(QueueError::Foreign));
        ours.extend(message.map(|message| (message, settlement)));
    }
    (answers, ours)
}

fn received<M: Into<Received>>(handed: Vec<M>) -> Vec<Received> {
    handed.into_iter().map(Into::into).collect()
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let backend = match &self.backend {
            Backend::Embedded(_) => "embedded",
            Backend::Rabbit(_) => "rabbit",
        };
        f.debug_struct("Queue").field("backend", &backend).finish_non_exhaustive()
    }
}
