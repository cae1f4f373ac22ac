//! The worker on a real queue and a ledger in a file.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

mod consume;
mod full;
mod site;
#[path = "../suite/mod.rs"]
mod suite;
