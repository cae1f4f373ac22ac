//! The store's conformance suite on SQLite: a fresh file for every test.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

#[path = "conformance/account.rs"]
mod account;
#[path = "conformance/dead.rs"]
mod dead;
#[path = "conformance/fact.rs"]
mod fact;
#[path = "conformance/failing.rs"]
mod failing;
#[path = "conformance/open.rs"]
mod open;
#[path = "conformance/payment.rs"]
mod payment;
#[path = "conformance/receipt.rs"]
mod receipt;
#[path = "conformance/record.rs"]
mod record;
#[path = "conformance/site.rs"]
mod site;
