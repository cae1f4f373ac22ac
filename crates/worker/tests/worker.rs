//! The worker on a real queue and a real ledger.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

#[path = "worker/batch.rs"]
mod batch;
#[path = "worker/consume.rs"]
mod consume;
#[path = "worker/left_behind.rs"]
mod left_behind;
#[path = "worker/rebuild.rs"]
mod rebuild;
#[path = "worker/site.rs"]
mod site;
