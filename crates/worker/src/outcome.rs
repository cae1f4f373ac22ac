//! How handling a delivery ended.

use std::sync::Arc;

use afluente_gateways::IgnoredBecause;
use afluente_store::{DeadReason, StoreError};

/// What became of a delivery. It is committed and must be acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its facts, claims and wants are in the ledger.
    Applied,
    /// Kept as a receipt, changed nothing.
    Ignored(IgnoredBecause),
    /// The same event with the same bytes was there before.
    Repeated,
    /// In the dead letters.
    Buried(DeadReason),
}

impl Outcome {
    /// One for each word there is.
    pub(crate) const EACH_WORD: [Outcome; 6] = [
        Outcome::Applied,
        Outcome::Ignored(IgnoredBecause::NothingToSay),
        Outcome::Ignored(IgnoredBecause::WrongMode),
        Outcome::Ignored(IgnoredBecause::WrongAccount),
        Outcome::Repeated,
        Outcome::Buried(DeadReason::Malformed),
    ];

    /// A word for metrics and logs, from a closed set.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            // The configuration and the gateway disagree about who we are: for an alert.
            Outcome::Ignored(because) if because.is_alarm() => because.as_str(),
            Outcome::Ignored(_) => "ignored",
            Outcome::Repeated => "repeated",
            Outcome::Buried(_) => "buried",
        }
    }
}

/// Why a delivery was not handled this time. Nothing of it is in the ledger; its message must come back.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Postponed {
    /// The ledger takes nothing at the moment. Not the delivery's fault: it costs no try.
    #[error(transparent)]
    LedgerAway(Arc<StoreError>),
    /// The ledger has no row of its account yet. The row is written again and again; the delivery never goes to the dead.
    #[error("the ledger has no row of its account yet: {0}")]
    AccountMissing(#[source] Arc<StoreError>),
    /// Somebody holds a row it needs, and has for a while. Not the delivery's fault: it never goes to the dead.
    #[error(transparent)]
    Contended(Arc<StoreError>),
    /// This one delivery fails, and may not the next time.
    #[error(transparent)]
    Failed(Arc<StoreError>),
    /// The process ends before it was read.
    #[error("the worker is shutting down")]
    ShuttingDown,
}
