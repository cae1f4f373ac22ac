//! What can go wrong with the queue itself. What is wrong with a message is [`crate::wire::Undecodable`].

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::spool::Spooled;

/// The storage under the queue refused. The same call may succeed later; nothing was half done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// No room: the disk is full, or the file reached its page limit. Acknowledging or freeing space helps.
    #[error("the disk under the queue is full")]
    DiskFull(#[source] Arc<rusqlite::Error>),
    /// The disk or the file system failed to read or write.
    #[error("reading or writing the queue file failed")]
    Io(#[source] Arc<rusqlite::Error>),
    /// The file is damaged.
    #[error("the queue file is damaged")]
    Damaged(#[source] Arc<rusqlite::Error>),
    /// Reading or writing failed, and the file cannot be opened anew yet. Nothing is acknowledged until it can.
    #[error("the queue file cannot be opened anew")]
    Unopened(#[source] Arc<OpenError>),
    /// Anything else SQLite says.
    #[error("the queue file could not be used")]
    Other(#[source] Arc<rusqlite::Error>),
}

impl StorageError {
    /// A word for metric labels: one of five.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            StorageError::DiskFull(_) => "disk_full",
            StorageError::Io(_) => "io",
            StorageError::Damaged(_) => "damaged",
            StorageError::Unopened(_) => "unopened",
            StorageError::Other(_) => "other",
        }
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> StorageError {
        use rusqlite::ErrorCode;
        let error = Arc::new(error);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StorageError::DiskFull(error),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => StorageError::Io(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StorageError::Damaged(error),
            _ => StorageError::Other(error),
        }
    }
}

/// Why a message was not stored. After every one of these the sender must not be told that we have it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// The queue holds as many bytes as it may. It has room again once workers have settled some.
    #[error(
        "the queue is full: {held_bytes} bytes held and {message_bytes} more offered, at most {limit_bytes} allowed"
    )]
    Full {
        /// Bytes held, with those being written.
        held_bytes: u64,
        /// Bytes of the message refused.
        message_bytes: u64,
        /// The bound.
        limit_bytes: u64,
    },
    /// The message alone is larger than one message may be. It will never fit.
    #[error("a message of {message_bytes} bytes is too large, at most {limit_bytes} allowed")]
    TooLarge {
        /// Bytes of head and body.
        message_bytes: u64,
        /// The bound.
        limit_bytes: u64,
    },
    /// The commit failed.
    #[error("the message could not be stored")]
    Storage(#[from] StorageError),
    /// The broker took the message and has no queue for it: it gave it back.
    #[error("the broker has no queue for the message and returned it")]
    Returned,
    /// The broker said no: its queue holds as much as it may, or it cannot write.
    #[error("the broker refused the message")]
    Nacked,
    /// Channel or connection ended before the broker confirmed. It may have the message all the same.
    #[error("the connection to the broker ended before it confirmed: {why}")]
    Lost {
        /// What ended it.
        why: Box<str>,
    },
    /// The broker did not confirm in time. It may have the message all the same.
    #[error("the broker did not confirm within {after:?}")]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// There is no broker to publish to, or it takes nothing: the message was not sent.
    #[error("the broker is away: {why}")]
    Away {
        /// Why, as far as it is known.
        why: Box<str>,
    },
    /// The queue is closed or closing.
    #[error("the queue is closed")]
    Closed,
}

impl PublishError {
    /// A word for metric labels: one of nine.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            PublishError::Full { .. } => "full",
            PublishError::TooLarge { .. } => "too_large",
            PublishError::Storage(_) => "storage",
            PublishError::Returned => "returned",
            PublishError::Nacked => "nacked",
            PublishError::Lost { .. } => "lost",
            PublishError::TimedOut { .. } => "timed_out",
            PublishError::Away { .. } => "away",
            PublishError::Closed => "closed",
        }
    }
}

/// Why messages could not be taken or settled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// The storage refused. Settled messages come back by themselves; a take may be tried again.
    #[error("the queue could not be read or written")]
    Storage(#[from] StorageError),
    /// The queue is closed or closing. What was not settled comes back at the next open.
    #[error("the queue is closed")]
    Closed,
    /// A message of another queue was given to settle: a bug of the caller. It stays where it was.
    #[error("expected messages taken from this queue, got one of another")]
    Foreign,
    /// The channel a message came through has ended: the broker hands it out again.
    #[error("the broker took the message back: its channel ended before it was settled")]
    Lapsed,
    /// A message could not be put where it waits for its next try. It comes back where it was.
    #[error("the message could not be put aside for later")]
    Retry(#[source] PublishError),
}

/// Why publishing cannot be expected to work at the moment. The text is for operators: what is wrong and where to look.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unhealthy {
    /// The queue is closed or closing.
    #[error("it is closed")]
    Closed,
    /// The last commit failed.
    #[error("the last commit failed ({}); look at the disk", .0.word())]
    Failing(#[source] StorageError),
    /// There is no broker, or it takes nothing.
    #[error("the broker is away for {for_seconds} s: {why}")]
    Away {
        /// For how long.
        for_seconds: u64,
        /// Why, as far as it is known.
        why: Box<str>,
    },
    /// The broker is there, and did not confirm the last message.
    #[error("the last message was not confirmed: {0}")]
    Unconfirmed(#[source] PublishError),
}

/// The broker is away, and deliveries are taken all the same.
#[derive(Debug, Clone)]
pub struct Spooling {
    /// Why they do not go to the broker.
    pub away: Unhealthy,
    /// What waits for it.
    pub spooled: Spooled,
}

impl std::fmt::Display for Spooling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.away, self.spooled)
    }
}

/// Why the queue's file was not opened. Whatever was found was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or a file in it cannot be created, read or written.
    #[error("cannot use {}: check that it exists and that this user may write there", path.display())]
    Unusable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process holds the queue.
    #[error(
        "the queue in {} is held by another process{}: stop it first, or use another data folder",
        path.display(),
        pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The holder, if it wrote its number down.
        pid: Option<u32>,
    },
    /// The file is something else, or was cut to nothing.
    #[error(
        "{} is not a SQLite database ({found}): it was not touched; restore it, or move it away to start with an empty queue",
        path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: &'static str,
    },
    /// A SQLite database that is not ours.
    #[error(
        "{} belongs to another application: expected application id {expected:#010x}, got {found:#010x}; it was not touched",
        path.display()
    )]
    OtherApplication {
        /// The file.
        path: PathBuf,
        /// The application id of our queue files.
        expected: u32,
        /// The one found.
        found: u32,
    },
    /// A queue file of a version this program does not know.
    #[error(
        "{} has schema version {found}, this program knows {supported}: start the program that wrote it; it was not touched",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: u32,
        /// The version this program writes.
        supported: u32,
    },
    /// Our file, damaged.
    #[error(
        "{} is damaged ({found}): it was not changed; copy it with its -wal file, restore it or recover it with `sqlite3 FILE .recover`, or move both away to start with an empty queue",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first thing found wrong.
        found: String,
    },
    /// The write-ahead log is damaged before commits that were durable. SQLite would go on without them and say nothing.
    #[error(
        "{0} is damaged at byte {offset}, and with it {commits} commits from there on: nothing was changed; copy it, restore it, or \
         go on without them after `truncate -s {offset} {0}`",
        path.display()
    )]
    DamagedLog {
        /// The log.
        path: PathBuf,
        /// Where, in bytes.
        offset: u64,
        /// Commits at and behind that place.
        commits: u64,
    },
    /// The write-ahead log could not be turned on, and without it a commit may be lost with the power.
    #[error("{} could not be given its write-ahead log, it answered {found}: see to the disk, then start again", path.display())]
    NoLog {
        /// The file.
        path: PathBuf,
        /// What SQLite answered.
        found: String,
    },
    /// A write-ahead log without its database: a new database would take its pages for its own.
    #[error(
        "{} is there but its database is not: restore the database beside it, or move it away to start with an empty queue",
        path.display()
    )]
    OrphanedLog {
        /// The log.
        path: PathBuf,
    },
    /// SQLite could not open the file or set it up.
    #[error("cannot open the queue file {}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// What the storage said.
        source: StorageError,
    },
}
