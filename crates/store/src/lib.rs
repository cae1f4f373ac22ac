//! The ledger in SQL: receipts, facts, payment rows and everything that commits with them.
//!
//! [`Store::begin`] opens the unit of work of a batch. Every method of [`Tx`] takes a batch and runs one statement for
//! all of it; dropping a [`Tx`] rolls back. Lock first, read facts afterwards. The order of locks is fixed: name,
//! payment, subscription, people (their values, then their rows).
//!
//! **Invariants.** Only this crate speaks SQL. Nothing here folds: rows are written as the worker projected them, and the
//! database's own CHECKs tie status to amounts. No network inside a transaction.

mod account;
mod backend;
mod cell;
mod claim;
mod dead;
mod error;
mod fact;
mod folded;
mod gap;
mod health;
mod input;
pub mod legacy;
mod migration;
mod name;
mod partition;
mod payment;
pub mod people;
#[cfg(test)]
mod plan;
mod postgres;
mod receipt;
mod record;
mod register;
pub mod report;
mod rows;
mod savepoint;
mod scratch;
mod sqlite;
mod subscription;
mod switch;
mod tx;
mod want;
mod work;

pub use account::AccountRow;
pub use backend::{Location, Store, StoreOptions, Tx};
pub use claim::{ClaimRow, Moving};
pub use dead::{DeadLetter, DeadReason, DeadState};
pub use error::{Class, StoreError};
pub use fact::{FactMove, FactRow, StoredFact, SubscriptionFactRow};
pub use gap::{GAPS_AT_ONCE, GapReason, GapSubject, GapTarget, NO_LABEL, NO_ROW};
pub use health::{FileHealth, Health, ServerHealth, ServerSays};
pub use migration::Schema;
pub use name::NameRow;
pub use partition::{Partition, Upkeep};
pub use payment::{NewPayment, PaymentKey, PaymentRow};
pub use postgres::Server;
pub use receipt::{Claimed, Receipt, ReceiptState, Reread};
pub use record::{EventRow, Inconsistency, OutboxRow, UnknownWordRow};
pub use register::{Register, RegisterRow, StoredClaim};
pub use scratch::Scratch;
pub use sqlite::{Flaw, LEDGER_FILE};
pub use subscription::{SubscriptionKey, SubscriptionRow};
pub use switch::{Switch, Switches};
pub use want::{Place, Settled, TakenWant, WantRow};
pub use work::Work;
