//! The ledger as a file of SQLite.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use crate::backend::StoreOptions;
use crate::error::StoreError;
use crate::migration;

/// The ledger's file name inside a data folder.
pub const LEDGER_FILE: &str = "ledger.sqlite";

/// The writer's cache, KiB as SQLite writes it: a batch touches a few thousand pages, and what does not fit is written to
/// the log and read back before it commits.
const CACHE_SIZE: &str = "-16384";

/// Pages in the write-ahead log before it is moved into the file, 4 KiB each: a page that several batches change is moved
/// once.
const CHECKPOINT_PAGES: &str = "4000";

/// How long a reader waits for a file that is being recovered or checkpointed.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn open(folder: &Path, settings: &StoreOptions) -> Result<SqlitePool, StoreError> {
    let path = folder.join(LEDGER_FILE);
    keep_private(&path)?;
    let options = options(&path).create_if_missing(true).synchronous(SqliteSynchronous::Full);
    let mut options = options
        .busy_timeout(settings.busy_timeout)
        .pragma("cache_size", CACHE_SIZE)
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
    if let Some(pages) = settings.max_pages {
        options = options.pragma("max_page_count", pages.to_string());
    }
    let pool = connect(options.journal_mode(SqliteJournalMode::Wal), 1, &path).await?;
    migration::up_sqlite(&pool).await.map_err(|error| opening(&path, error))?;
    Ok(pool)
}

/// The one connection that writes, to a ledger whose schema is as it is: SQLite gains nothing from a second, and its
/// waiters starve.
pub(crate) async fn writer(folder: &Path) -> Result<SqlitePool, StoreError> {
    let path = folder.join(LEDGER_FILE);
    keep_private(&path)?;
    connect(options(&path).synchronous(SqliteSynchronous::Full).journal_mode(SqliteJournalMode::Wal), 1, &path).await
}

pub(crate) async fn readers(path: &Path) -> Result<SqlitePool, StoreError> {
    connect(options(path).read_only(true), 4, path).await
}

pub(crate) async fn open_read_only(folder: &Path) -> Result<SqlitePool, StoreError> {
    let path = existing(folder)?;
    let pool = readers(&path).await?;
    check_schema(&pool, &path).await?;
    Ok(pool)
}

pub(crate) async fn open_snapshot(folder: &Path) -> Result<SqlitePool, StoreError> {
    let path = existing(folder)?;
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        // The one connection reads inside one transaction that is never ended; closing the pool ends it.
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::query("begin").execute(connection).await.map(drop) })
        })
        .connect_with(options(&path).read_only(true))
        .await
        .map_err(|error| opening(&path, error.into()))?;
    check_schema(&pool, &path).await?;
    Ok(pool)
}

pub(crate) async fn close(pool: &SqlitePool) {
    // A failed checkpoint loses nothing: the log is replayed at the next start.
    let _ = sqlx::query("pragma wal_checkpoint(truncate)").execute(pool).await;
    pool.close().await;
}

/// A reading command must not meet a schema it does not know.
async fn check_schema(pool: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    migration::read_sqlite(pool).await.map_err(|error| opening(path, error))?.check()
}

/// What opening says: a file that is no database fails at its first statement only.
fn opening(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Failed(error) | StoreError::Unavailable(error) => {
            StoreError::Open { what: shown(path), reason: error.to_string() }
        }
        other => other,
    }
}

pub(crate) fn existing(folder: &Path) -> Result<PathBuf, StoreError> {
    let path = folder.join(LEDGER_FILE);
    if path.is_file() { Ok(path) } else { Err(StoreError::Missing { what: shown(&path) }) }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The ledger holds bodies with names and documents: its owner alone may read it. The log beside it takes the file's mode.
fn keep_private(path: &Path) -> Result<(), StoreError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    opened
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))
        .map_err(|error| StoreError::Open { what: shown(path), reason: error.to_string() })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(128)
}

async fn connect(options: SqliteConnectOptions, connections: u32, path: &Path) -> Result<SqlitePool, StoreError> {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(BUSY_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(|error| StoreError::Open { what: shown(path), reason: error.to_string() })
}
