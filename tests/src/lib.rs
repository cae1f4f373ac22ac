//! What whole-process tests share: the binary under test, a data folder of its own, a client that speaks plain HTTP.
//!
//! Nothing here knows the insides of Afluente: it signs as Stripe does, sends bytes, runs commands, reads the ledger's
//! file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a test that cannot go on must fail"
)]

mod brokered;
mod client;
mod clock;
mod load;
mod process;
mod served;
mod shop;

pub use brokered::{Brokered, HeldLedger};
pub use client::{Answer, exchange, post, send};
pub use clock::Clock;
pub use load::Load;
pub use process::{Command, Finished, Up, afluente, binary};
pub use served::Served;
pub use shop::{PATH, Shop, event};

use std::time::{Duration, Instant};

/// How long a condition may take to hold on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the condition holds; fails the test with `what` if it does not in time.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} until {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Seconds since 1970, as a sender's clock tells.
#[must_use]
pub fn unix_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
