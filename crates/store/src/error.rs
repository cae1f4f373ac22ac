//! What can go wrong with the ledger, and whether trying again may help.

use std::path::PathBuf;

/// A failure of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no ledger there; a reading command was started before the first `afluente up`.
    #[error("no ledger at {}: start `afluente up` with this data folder first", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is there and is no ledger of ours, or cannot be read or written.
    #[error("cannot open the ledger {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The database's own words.
        reason: String,
    },
    /// The ledger's schema is not the one this program knows.
    #[error("the ledger's schema cannot be brought up to date: {0}")]
    Migration(String),
    /// The database is busy, out of room or gone for the moment: the same batch may succeed later.
    #[error("the ledger cannot take this batch now: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A constraint refused a row. The batch is at fault, not the moment.
    #[error("the ledger refused a row: {constraint}")]
    Refused {
        /// The constraint's name or the database's words for it; never a value.
        constraint: String,
    },
    /// A statement failed for another reason: a bug, or a damaged file.
    #[error("a ledger statement failed: {0}")]
    Failed(#[source] sqlx::Error),
    /// A stored row holds a word this program does not know: written by a newer version, or by hand.
    #[error("{table}.{column} holds {got:?}, which this version does not know")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What it holds, cut to 64 characters.
        got: String,
    },
}

impl StoreError {
    /// Whether the same work may succeed later without anybody changing it.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            StoreError::Unavailable(_) => true,
            StoreError::Missing { .. }
            | StoreError::Open { .. }
            | StoreError::Migration(_)
            | StoreError::Refused { .. }
            | StoreError::Failed(_)
            | StoreError::Unreadable { .. } => false,
        }
    }

    pub(crate) fn unreadable(table: &'static str, column: &'static str, got: &str) -> StoreError {
        StoreError::Unreadable { table, column, got: got.chars().take(64).collect() }
    }
}

/// SQLite's primary result codes that pass: busy, locked, read-only for now, IO error, full.
const SQLITE_PASSING: [u32; 5] = [5, 6, 8, 10, 13];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => StoreError::Unavailable(error),
                other => StoreError::Failed(other),
            };
        };
        if database.is_check_violation() || database.is_unique_violation() || database.is_foreign_key_violation() {
            // SQLite names the constraint in its message only.
            return StoreError::Refused { constraint: database.message().chars().take(200).collect() };
        }
        let primary = database.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
        if primary.is_some_and(|code| SQLITE_PASSING.contains(&code)) {
            StoreError::Unavailable(error)
        } else {
            StoreError::Failed(error)
        }
    }
}
