//! The ledger on SQLite: the conformance suite, and what only a file can do.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

#[path = "../conformance/mod.rs"]
mod conformance;
mod failing;
mod open;
mod site;
