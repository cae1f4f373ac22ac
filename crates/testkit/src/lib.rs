//! Real servers for tests.
//!
//! [`Database`] is an empty database on the server that `scripts/services up` started; it is gone with the value. Nothing
//! here is skipped when the server is missing: a test that needs it fails and says what to start.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test says what failed by failing")]

mod database;

pub use database::Database;
