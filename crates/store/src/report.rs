//! Reading the ledger: what operators look at, and what a rebuild compares.

mod dead;
mod payment;
mod rebuild;
mod summary;
mod want;

pub use dead::{DeadFilter, DeadMessage, DeadView};
pub use payment::{EventView, PaymentFilter, ReceiptView};
pub use rebuild::{HeldReceipt, StoredAlias};
pub use summary::{Counts, UnknownWordView};
pub use want::WantView;

#[cfg(test)]
pub(crate) use {
    dead::MESSAGE as DEAD_MESSAGE,
    payment::{EVENTS, FACTS as PAYMENT_FACTS, NAMED, RECEIPTS as PAYMENT_RECEIPTS},
    rebuild::{FACTS as SUBSCRIPTION_FACTS, READ as RECEIPTS_READ},
};
