//! The worker on a real queue and a ledger in Postgres, alone and with others.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

mod backfill;
mod crowd;
mod failing;
mod legacy;
mod reader;
mod replay;
mod several;
mod site;
#[path = "../suite/mod.rs"]
mod suite;
mod writers;
