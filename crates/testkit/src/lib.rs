//! Real servers for tests.
//!
//! [`Database`] is an empty database on the server that `scripts/services up` started, [`Corner`] a set of queues on its
//! broker; each is gone with the value. [`Server`] and [`Broker`] are a Postgres and a RabbitMQ of the test's own, for what must
//! not happen to one that is shared; [`Proxy`] is the network before it. Nothing
//! here is skipped when the server is missing: a test that needs it fails and says what to start.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test says what failed by failing"
)]

mod broker;
mod corner;
mod database;
pub mod fuzz;
pub mod legacy;
mod message;
mod port;
mod proxy;
mod server;
mod tls;

pub use broker::Broker;
pub use corner::Corner;
pub use database::Database;
pub use message::delivery;
pub use proxy::Proxy;
pub use server::Server;
pub use tls::Tls;

/// How many seconds something lasts: `short` as a rule, `full` where `AFLUENTE_TEST_FULL` is set, for whoever has the time.
#[must_use]
pub fn at_full_length(short: u64, full: u64) -> std::time::Duration {
    std::time::Duration::from_secs(at_full_size(short, full))
}

/// How much of something there is, likewise.
#[must_use]
pub fn at_full_size<T>(short: T, full: T) -> T {
    if std::env::var_os("AFLUENTE_TEST_FULL").is_some() { full } else { short }
}
