//! Reading the ledger: what operators look at, and what a rebuild compares.

mod dead;
mod payment;
mod rebuild;
mod summary;
mod want;

pub use dead::{DeadFilter, DeadGroup, DeadMessage, DeadView};
pub use payment::{EventView, PaymentFilter, ReceiptView};
pub use rebuild::{HeldReceipt, StoredAlias};
pub use summary::{Counts, UnknownWordView};
pub use want::WantView;
