//! The queue as its users have it: real files, real processes, real damage.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "queue/crash.rs"]
mod crash;
#[path = "queue/examine.rs"]
mod examine;
#[path = "queue/file.rs"]
mod file;
#[path = "queue/life.rs"]
mod life;
#[path = "queue/limit.rs"]
mod limit;
#[path = "queue/site.rs"]
mod site;
#[path = "queue/steps.rs"]
mod steps;
#[path = "queue/wire.rs"]
mod wire;
