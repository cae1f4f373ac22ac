//! The power goes at any step. Nothing acknowledged is lost, nothing that was let go comes back.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

mod books;
mod failed_ledger;
mod failed_sync;
mod ledger;
mod queue;
mod sender;
mod simulation;
mod site;
mod spool;
mod stage;
