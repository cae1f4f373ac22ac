//! Takes deliveries off the queue, folds their facts and commits them to the ledger.
//!
//! ```text
//! take -> prepare (open the seal, read) -> apply (one transaction) -> commit -> settle
//! ```
//!
//! A batch is one transaction. Where it fails because of one delivery, it is split until that one stands alone; the rest
//! commits. A message is settled after its transaction committed, never before, so a kill at any point only repeats work
//! that changes nothing the second time.
//!
//! **Invariants.** Nothing here decides what a fact means: adapters read, the model folds. No delivery leaves without a
//! receipt, a dead letter or another try.

mod account;
pub mod answer;
mod apply;
pub mod backfill;
mod batch;
pub mod column;
pub mod decide;
pub mod desk;
mod entry;
mod followup;
mod legacy;
pub mod measure;
mod mend;
mod mirror;
mod names;
mod outcome;
mod payments;
mod people;
mod prepare;
mod pulse;
pub mod rebuild;
mod refold;
mod run;
mod settle;
mod subscriptions;
mod taken;

pub use account::{Account, Accounts};
pub use batch::handle;
pub use mend::repair_gaps;
pub use outcome::{Outcome, Postponed};
pub use prepare::{PARK_AFTER_SECONDS, Prepared};
pub use pulse::Pulse;
pub use run::{Settings, Worker, run};
pub use settle::RetryPolicy;

use afluente_model::Timestamp;

/// Our clock, read at the edge. It stamps when rows were written and orders nothing.
#[must_use]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::EPOCH.shifted(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
