//! Totals of the ledger.

use sqlx::FromRow;

use crate::backend::{Store, fetch};
use crate::error::StoreError;
use crate::rows::{Statement, text};

static COUNTS: Statement = text!("report/counts");
static UNKNOWN_WORDS: Statement = text!("report/unknown_words");

/// How much the ledger holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Counts {
    /// Receipts.
    pub receipts: i64,
    /// Of them, kept without effect.
    pub ignored: i64,
    /// Payments.
    pub payments: i64,
    /// Facts of payments.
    pub facts: i64,
    /// Subscriptions.
    pub subscriptions: i64,
    /// Claims.
    pub claims: i64,
    /// Open wants.
    pub wants: i64,
    /// Open dead letters.
    pub dead_letters: i64,
    /// Open inconsistencies.
    pub inconsistencies: i64,
}

/// A word of a gateway we do not know.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct UnknownWordView {
    /// The account.
    pub account: String,
    /// Object and field.
    pub field: String,
    /// The word.
    pub word: String,
    /// How often it came.
    pub seen: i64,
}

impl Store {
    /// Counts everything; walks the tables, so for people and not for metrics.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        fetch!(self, fetch_one, COUNTS)
    }

    /// Words we do not know, most frequent first.
    pub async fn unknown_words(&self, limit: u32) -> Result<Vec<UnknownWordView>, StoreError> {
        fetch!(self, fetch_all, UNKNOWN_WORDS, i64::from(limit))
    }
}
