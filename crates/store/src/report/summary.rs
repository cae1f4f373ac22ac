//! Totals of the ledger.

use afluente_model::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
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
#[derive(Clone, Debug)]
pub struct UnknownWordView {
    /// The gateway, as stored.
    pub provider_v2: String,
    /// The account.
    pub account: String,
    /// Object and field.
    pub field: String,
    /// The word.
    pub word: String,
    /// How often it came.
    pub seen: i64,
    /// When it first came.
    pub first_seen_at: Timestamp,
    /// When it last came.
    pub last_seen_at: Timestamp,
    /// A receipt in which it stands; none for words counted by an older version.
    pub receipt: Option<Uuid>,
}

#[derive(FromRow)]
struct WordRecord {
    provider_v2: String,
    account: String,
    field: String,
    word: String,
    seen: i64,
    first_seen_at: Moment,
    last_seen_at: Moment,
    receipt_id: Option<Uuid>,
}

impl Store {
    /// Counts everything; walks the tables, so for people and not for metrics.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        fetch!(self, fetch_one, COUNTS)
    }

    /// Words we do not know, most frequent first.
    pub async fn unknown_words(&self, limit: u32) -> Result<Vec<UnknownWordView>, StoreError> {
        let rows: Vec<WordRecord> = fetch!(self, fetch_all, UNKNOWN_WORDS, i64::from(limit))?;
        rows.into_iter()
            .map(|row| {
                Ok(UnknownWordView {
                    provider_v2: row.provider_v2,
                    account: row.account,
                    field: row.field,
                    word: row.word,
                    seen: row.seen,
                    first_seen_at: row.first_seen_at.read("unknown_words", "first_seen_at")?,
                    last_seen_at: row.last_seen_at.read("unknown_words", "last_seen_at")?,
                    receipt: row.receipt_id,
                })
            })
            .collect()
    }
}
