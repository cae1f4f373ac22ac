//! What can go wrong with the ledger, and whether trying again may help.

use sqlx::postgres::PgDatabaseError;

/// A failure of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no ledger there; a reading command was started before the first `afluente up`.
    #[error("no ledger at {what}: start `afluente up` with this configuration first")]
    Missing {
        /// Where it was looked for.
        what: String,
    },
    /// What is there is no ledger of ours, or cannot be read or written.
    #[error("cannot open the ledger {what}: {reason}")]
    Open {
        /// The file, or the server and its database.
        what: String,
        /// The database's own words.
        reason: String,
    },
    /// Moving the write-ahead log of SQLite into its file failed: what the file holds on the disk is not known any more. The log
    /// holds all of it, and is read again at the next start.
    #[error(
        "{log} could not be moved into the ledger's file ({reason}): see to the disk, then start the process again"
    )]
    Doubted {
        /// The log's file.
        log: String,
        /// The database's own words.
        reason: String,
    },
    /// The write-ahead log of SQLite is damaged before commits that were durable. SQLite would go on without them and say nothing.
    #[error(
        "{log} is damaged at byte {offset}, and with it {commits} commits from there on: nothing was changed; copy it, restore it, or \
         go on without them after `truncate -s {offset} {log}`"
    )]
    DamagedLog {
        /// The log's file.
        log: String,
        /// Where, in bytes.
        offset: u64,
        /// Commits at and behind that place.
        commits: u64,
    },
    /// The ledger's schema is not the one this program knows.
    #[error("the ledger's schema is not one this program works on: {0}")]
    Migration(String),
    /// The database is busy, out of room or gone for the moment: the same batch may succeed later.
    #[error("the ledger cannot take this batch now: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Another transaction was in the way: a deadlock, or a lock held for too long. Nothing is wrong with either.
    #[error("another transaction was in the way: {because}")]
    Contended {
        /// The database's own words.
        because: String,
    },
    /// Rows that must be there after a statement are not.
    #[error("the ledger gave {got} rows of {table} where {expected} must be")]
    Missed {
        /// The table.
        table: &'static str,
        /// How many rows.
        expected: usize,
        /// How many came.
        got: usize,
    },
    /// An earlier statement of the same unit of work failed, and took everything back.
    #[error("the transaction is over: an earlier statement of it failed")]
    Over,
    /// A row refers to one that is not there, such as the mirrored row of its account. It may be written yet.
    #[error("the ledger misses a row that another refers to: {constraint}")]
    Orphaned {
        /// The database's words for it; never a value.
        constraint: String,
    },
    /// A constraint refused a row. The delivery is at fault, not the moment.
    #[error("the ledger refused a row: {constraint}")]
    Refused {
        /// The constraint's name or the database's words for it; never a value.
        constraint: String,
    },
    /// A statement failed for another reason: a bug, or a schema that was changed under us.
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

/// What to do with work that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The ledger is away, busy or full: nothing about the work is wrong, all of it waits.
    Away,
    /// Another transaction was in the way: the same work at once again, on a new connection.
    Contended,
    /// Something about this work fails, and nobody can say that it always will: what is not at fault goes on, what is
    /// tries again later.
    Unsettled,
    /// The rows themselves are refused, or what is stored cannot be read: no retry helps.
    Refused,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 4] = [Class::Away, Class::Contended, Class::Unsettled, Class::Refused];

    /// The word in labels and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Away => "away",
            Class::Contended => "contended",
            Class::Unsettled => "unsettled",
            Class::Refused => "refused",
        }
    }
}

impl StoreError {
    /// What to do with the work.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            StoreError::Unavailable(_)
            | StoreError::Over
            | StoreError::Missing { .. }
            | StoreError::Open { .. }
            | StoreError::DamagedLog { .. }
            | StoreError::Doubted { .. } => Class::Away,
            StoreError::Contended { .. } => Class::Contended,
            StoreError::Migration(_)
            | StoreError::Missed { .. }
            | StoreError::Orphaned { .. }
            | StoreError::Failed(_) => Class::Unsettled,
            StoreError::Refused { .. } | StoreError::Unreadable { .. } => Class::Refused,
        }
    }

    pub(crate) fn unreadable(table: &'static str, column: &'static str, got: &str) -> StoreError {
        StoreError::Unreadable { table, column, got: got.chars().take(64).collect() }
    }

    /// The database's own words, cut. SQLite names a violated constraint in its message only.
    fn words(error: &dyn sqlx::error::DatabaseError) -> String {
        error.message().chars().take(200).collect()
    }
}

/// SQLite's primary result codes that speak of the moment and not of the work: permission, abort, busy, locked, out of
/// memory, read-only, interrupted, IO error, corrupt, full, cannot open, locking protocol, schema changed, large files
/// missing, not a database.
const SQLITE_AWAY: [u32; 15] = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 17, 22, 26];
/// And those that speak of the rows: too big, constraint, mismatch.
const SQLITE_REFUSED: [u32; 3] = [18, 19, 20];

/// SQLSTATE of two transactions in each other's way: serialization failure, deadlock, lock not available.
const POSTGRES_CONTENDED: [&str; 3] = ["40001", "40P01", "55P03"];
/// Classes of SQLSTATE that speak of the moment and not of the work: connection, feature (a cached plan that a migration made
/// void), transaction state (a transaction that failed or timed out, a server that became read-only), prepared statement
/// gone, authorization, database, schema, rights and names (our statements are fixed, so that these speak of how the
/// database is set up), resources, operator and shutdown and a cancelled statement, system, configuration, internal.
const POSTGRES_AWAY: [&str; 15] =
    ["08", "0A", "25", "26", "28", "3D", "3F", "42", "53", "55", "57", "58", "F0", "XX", "40"];
/// And those that speak of the rows: data, constraint, a limit such as the size of an index entry.
const POSTGRES_REFUSED: [&str; 3] = ["22", "23", "54"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        let Some(database) = error.as_database_error() else { return without_a_database(error) };
        if let Some(postgres) = database.try_downcast_ref::<PgDatabaseError>() {
            let (code, constraint) = (postgres.code().to_owned(), postgres.constraint().map(str::to_owned));
            let words = StoreError::words(postgres);
            return of_postgres(&code, constraint, words, error);
        }
        if database.is_foreign_key_violation() {
            return StoreError::Orphaned { constraint: StoreError::words(database) };
        }
        let primary = database.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
        match primary {
            Some(code) if SQLITE_AWAY.contains(&code) => StoreError::Unavailable(error),
            Some(code) if SQLITE_REFUSED.contains(&code) => {
                StoreError::Refused { constraint: StoreError::words(database) }
            }
            Some(_) | None => StoreError::Failed(error),
        }
    }
}

/// What a Postgres server says. Its own words may repeat a value, so that a refusal is told by the constraint or the code.
fn of_postgres(code: &str, constraint: Option<String>, words: String, error: sqlx::Error) -> StoreError {
    let told = constraint.unwrap_or_else(|| format!("SQLSTATE {code}"));
    let class = code.get(..2).unwrap_or_default();
    if code == "23503" {
        StoreError::Orphaned { constraint: told }
    } else if POSTGRES_REFUSED.contains(&class) {
        StoreError::Refused { constraint: told }
    } else if POSTGRES_CONTENDED.contains(&code) {
        StoreError::Contended { because: words }
    } else if POSTGRES_AWAY.contains(&class) {
        StoreError::Unavailable(error)
    } else {
        StoreError::Failed(error)
    }
}

/// What sqlx says by itself: it could not reach the database, or could not read what came.
fn without_a_database(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed
        | sqlx::Error::Configuration(_) => StoreError::Unavailable(error),
        other => StoreError::Failed(other),
    }
}
