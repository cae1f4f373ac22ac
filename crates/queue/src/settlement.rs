//! Words every backend shares: what becomes of a message, and how many are where.

use std::time::Duration;

use afluente_model::Gateway;

use crate::error::QueueError;
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

/// How settling one message ended. `Ok` when it is durable; with an error it comes back by itself.
pub type Settled = Result<(), QueueError>;

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

/// What a queue holds, for backends that know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Every gateway once.
    pub by_gateway: Vec<(Gateway, Depth)>,
    /// Bytes that may be held. Past it publishing is refused.
    pub limit_bytes: u64,
}

impl Held {
    /// All gateways together.
    #[must_use]
    pub fn total(&self) -> Depth {
        self.by_gateway.iter().fold(Depth::default(), |sum, (_, depth)| Depth {
            ready: sum.ready + depth.ready,
            delayed: sum.delayed + depth.delayed,
            in_flight: sum.in_flight + depth.in_flight,
            bytes: sum.bytes + depth.bytes,
        })
    }

    /// Whether the bound is reached.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.total().bytes >= self.limit_bytes
    }
}

/// A message as a backend hands it out, with the backend's own hold on it.
pub(crate) struct Handed<L> {
    pub(crate) sealed: Sealed,
    /// How many times it was handed out before and came back.
    pub(crate) attempt: u32,
    /// Why the broker gave it up, if it did.
    pub(crate) given_up: Option<Box<str>>,
    pub(crate) lease: L,
}
