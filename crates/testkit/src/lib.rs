//! Real servers for tests.
//!
//! [`Database`] is an empty database on the server that `scripts/services up` started; it is gone with the value. [`Server`] is a
//! server of the test's own, for what must not happen to one that is shared; [`Proxy`] is the network before it. Nothing
//! here is skipped when the server is missing: a test that needs it fails and says what to start.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test says what failed by failing"
)]

mod database;
mod proxy;
mod server;

pub use database::Database;
pub use proxy::Proxy;
pub use server::Server;
