//! Plays a gateway against a running Afluente, and compares the ledger with what is known to be true.
//!
//! ```text
//! play (a plan -> requests, and the truth) -> deliver (signed, concurrent, patient) -> check (ledger against truth)
//! ```
//!
//! **Invariants.** The ends of lives are written down by hand from what happened to the money; they are never computed by
//! the fold they check. The same plan gives the same requests, byte for byte but for their signatures.

mod body;
pub mod check;
mod life;
mod send;
mod traffic;

pub use check::Difference;
pub use send::{SendError, Sent, Target, deliver};
pub use traffic::{Plan, Post, Traffic, Truth, play};
