//! The queue on a real broker: `scripts/services up`.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "rabbit/fault.rs"]
mod fault;
#[path = "rabbit/life.rs"]
mod life;
#[path = "rabbit/site.rs"]
mod site;
#[path = "rabbit/spool.rs"]
mod spool;
#[path = "rabbit/traffic.rs"]
mod traffic;
