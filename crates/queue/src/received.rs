//! A message in a worker's hands.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use afluente_model::{DeliveryId, Gateway};
use bytes::Bytes;

use crate::embedded::shared::Shared;
use crate::wire::Sealed;

/// What becomes of a message that was taken. Dead letters are written to the ledger by the worker and then acked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Done: the message is deleted.
    Ack,
    /// Hand it out again after this long, at most [`LONGEST_DELAY`](crate::embedded::LONGEST_DELAY); its attempt count
    /// grows by one. Survives a restart.
    RetryAfter(Duration),
}

/// A message taken from the queue, held by nobody else until it is settled. Nothing in it has been checked yet: open it
/// with [`SealKeys::open`](crate::SealKeys::open).
///
/// Dropped without settlement it comes back after [`RETURN_DELAY`](crate::embedded::RETURN_DELAY), its attempt count one
/// higher. One whose settlement failed to commit comes back then too, its attempt count unchanged.
pub struct Received {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ticket: Ticket,
    pub(crate) sealed: Sealed,
    pub(crate) attempt: u32,
    pub(crate) settled: bool,
}

/// Where a message in flight belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(crate) gateway: Gateway,
    pub(crate) seq: i64,
    pub(crate) size: u32,
}

impl Received {
    /// The id ingress gave, as the queue's own row has it: readable even if the head is not.
    #[must_use]
    pub fn id(&self) -> DeliveryId {
        self.sealed.id
    }

    /// The queue it waited in.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        self.sealed.gateway
    }

    /// The sealed message.
    #[must_use]
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// The sealed headers.
    #[must_use]
    pub fn head(&self) -> &Bytes {
        &self.sealed.head
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.sealed.body
    }

    /// Gives it back as it is: it comes back after [`RETURN_DELAY`](crate::embedded::RETURN_DELAY) with its attempt count
    /// unchanged, and nothing is written. For what is not the message's fault, such as a ledger that is away.
    pub fn release(mut self) {
        self.settled = true;
        self.shared.give_back(self.ticket, self.attempt);
    }

    /// How many times it was handed out before and came back: 0 the first time. What a crash of the process cut short is
    /// not counted.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("id", &self.sealed.id)
            .field("gateway", &self.sealed.gateway)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.give_back(self.ticket, self.attempt.saturating_add(1));
        }
    }
}
