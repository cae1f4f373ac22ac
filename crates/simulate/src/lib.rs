//! Plays a gateway against a running Afluente, and compares the ledger with what is known to be true.
//!
//! ```text
//! play (a plan -> requests, what the API shows, and the truth) -> deliver (proved, concurrent, patient)
//!     Api (objects as far as they have come, and not always well)
//! -> check (ledger against truth)
//! ```
//!
//! **Invariants.** The ends of lives are written down by hand from what happened to the money; they are never computed by
//! the fold they check. The same plan gives the same requests, byte for byte but for their signatures.

mod api;
mod appmax;
pub mod check;
mod forgery;
mod mercadopago;
pub mod openfinance;
mod pagarme;
mod plan;
mod player;
mod sample;
mod send;
mod sent;
mod stamped;
mod stripe;

pub use api::{Api, Conditions, Key, Objects, Phase, Tally};
pub use check::Difference;
pub use forgery::Forgery;
pub use plan::{Checks, Plan, Post, Traffic, Truth, play};
pub use player::NotPlayed;
pub use sample::{Sample, Whole, samples};
pub use send::{SendError, Target, deliver};
pub use sent::{Acknowledged, Sent, Way, in_full};
