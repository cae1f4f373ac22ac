//! The ledger on Postgres: the conformance suite, and what only a server can do.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

mod catalogue;
#[path = "../conformance/mod.rs"]
mod conformance;
mod failing;
mod legacy;
mod open;
mod partition;
mod site;
mod taking;
