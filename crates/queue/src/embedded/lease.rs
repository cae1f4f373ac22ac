//! The hold on a message in flight.

use std::sync::Arc;

use afluente_model::Gateway;

use super::shared::Shared;

/// Where a message in flight belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(crate) gateway: Gateway,
    pub(crate) seq: i64,
    pub(crate) size: u32,
}

/// Held by whoever works on the message. Dropped unsettled it gives the message back, one attempt higher.
pub(crate) struct Lease {
    shared: Arc<Shared>,
    ticket: Ticket,
    attempt: u32,
    held: bool,
}

impl Lease {
    pub(super) fn new(shared: Arc<Shared>, ticket: Ticket, attempt: u32) -> Lease {
        Lease { shared, ticket, attempt, held: true }
    }

    /// Gives the message back as it is, uncounted.
    pub(crate) fn release(mut self) {
        self.held = false;
        self.shared.give_back(self.ticket, self.attempt);
    }

    /// Whether the message is one of this queue.
    pub(super) fn is_of(&self, shared: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.shared, shared)
    }

    /// Ends the hold: the message is the caller's to settle.
    pub(super) fn end(mut self) -> (Ticket, u32) {
        self.held = false;
        (self.ticket, self.attempt)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.held {
            self.shared.give_back(self.ticket, self.attempt.saturating_add(1));
        }
    }
}
