//! A message in a worker's hands.

use std::fmt;

use afluente_model::{DeliveryId, Gateway};
use bytes::Bytes;

use crate::settlement::Handed;
use crate::wire::Sealed;
use crate::{embedded, rabbit};

/// A message taken from the queue, held by nobody else until it is settled. Nothing in it has been checked yet: open it
/// with [`SealKeys::open`](crate::SealKeys::open).
///
/// Dropped without settlement it comes back after [`RETURN_DELAY`](crate::embedded::RETURN_DELAY); its attempt count is one
/// higher if the queue is embedded, and unchanged if a broker has it, which counts nothing of ours. One whose settlement failed
/// comes back then too, its attempt count unchanged.
pub struct Received {
    pub(crate) sealed: Sealed,
    pub(crate) attempt: u32,
    pub(crate) given_up: Option<Box<str>>,
    pub(crate) lease: Lease,
}

/// A backend's hold on a message. Each gives the message back when it is dropped.
pub(crate) enum Lease {
    Embedded(embedded::Lease),
    Rabbit(rabbit::Lease),
}

impl Received {
    /// The id ingress gave, as the queue itself has it: readable even if the head is not.
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
    pub fn release(self) {
        match self.lease {
            Lease::Embedded(lease) => lease.release(),
            // A broker counts nothing of ours: given back is given back.
            Lease::Rabbit(lease) => drop(lease),
        }
    }

    /// Why the broker gave it up, if it did: it came back too often, or somebody threw it out. It belongs to the dead letters.
    #[must_use]
    pub fn given_up(&self) -> Option<&str> {
        self.given_up.as_deref()
    }

    /// How many times it was handed out before and came back: 0 the first time. What a crash of the process cut short is
    /// not counted.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

impl From<Handed<embedded::Lease>> for Received {
    fn from(Handed { sealed, attempt, given_up, lease }: Handed<embedded::Lease>) -> Received {
        Received { sealed, attempt, given_up, lease: Lease::Embedded(lease) }
    }
}

impl From<Handed<rabbit::Lease>> for Received {
    fn from(Handed { sealed, attempt, given_up, lease }: Handed<rabbit::Lease>) -> Received {
        Received { sealed, attempt, given_up, lease: Lease::Rabbit(lease) }
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
