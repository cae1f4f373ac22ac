//! The ledger as a file of SQLite.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use crate::backend::StoreOptions;
use crate::error::StoreError;
use crate::migration;

mod examine;
mod log;

pub use examine::Flaw;
pub(crate) use log::Log;

/// The ledger's file name inside a data folder.
pub const LEDGER_FILE: &str = "ledger.sqlite";

/// The writer's cache, KiB as SQLite writes it: a batch touches a few thousand pages, and what does not fit is written to
/// the log and read back before it commits.
const CACHE_SIZE: &str = "-16384";

/// Bytes of the write-ahead log before it is moved into the file: a page that several batches change is moved once.
pub(crate) const LOG_BYTES: u64 = 16 << 20;

/// How long a reader waits for a file that is being recovered or checkpointed.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn open(folder: &Path, settings: &StoreOptions) -> Result<(SqlitePool, Arc<Log>), StoreError> {
    let path = folder.join(LEDGER_FILE);
    let mut options = options(&path)
        .create_if_missing(true)
        .busy_timeout(settings.busy_timeout)
        .pragma("cache_size", CACHE_SIZE)
        .pragma("temp_store", "memory");
    if let Some(pages) = settings.max_pages {
        options = options.pragma("max_page_count", pages.to_string());
    }
    let log = Arc::new(Log::of(&path, settings.log_bytes));
    let pool = write(options, settings.log_bytes, &log, &path).await?;
    migration::up_sqlite(&pool).await.map_err(|error| opening(&path, error))?;
    Ok((pool, log))
}

/// The one connection that writes, to a ledger whose schema is as it is.
pub(crate) async fn writer(folder: &Path) -> Result<SqlitePool, StoreError> {
    let path = folder.join(LEDGER_FILE);
    write(options(&path), LOG_BYTES, &Arc::new(Log::of(&path, LOG_BYTES)), &path).await
}

/// One connection: SQLite gains nothing from a second, and its waiters starve. It stays open, because closing the last one moves
/// the log into the file and says nothing if that fails.
async fn write(
    options: SqliteConnectOptions,
    log_bytes: u64,
    log: &Arc<Log>,
    path: &Path,
) -> Result<SqlitePool, StoreError> {
    log.look().await?;
    keep_private(path)?;
    let options = options
        .synchronous(SqliteSynchronous::Full)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("wal_autocheckpoint", "0")
        // The file of the log is as long as the log once that is longer than this.
        .pragma("journal_size_limit", log_bytes.to_string());
    let log = Arc::clone(log);
    let pool = pool(1).idle_timeout(None).max_lifetime(None).after_connect(move |connection, _| {
        let log = Arc::clone(&log);
        Box::pin(async move { log.trust(connection).await })
    });
    connect(pool, options, path).await
}

pub(crate) async fn readers(path: &Path) -> Result<SqlitePool, StoreError> {
    connect(pool(4), options(path).read_only(true), path).await
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

pub(crate) async fn close(pool: &SqlitePool, log: Option<&Log>) {
    match log {
        Some(log) => log.close(pool).await,
        None => pool.close().await,
    }
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

/// The ledger holds bodies with names and documents: its owner alone may read it. The log beside it takes the file's mode. A
/// file that is there is not opened: closing it again would give up the locks that another connection of this process has on it.
fn keep_private(path: &Path) -> Result<(), StoreError> {
    let created = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    };
    created
        .and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(0o600)))
        .map_err(|error| StoreError::Open { what: shown(path), reason: error.to_string() })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(128)
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(connections).acquire_timeout(BUSY_TIMEOUT)
}

async fn connect(
    pool: SqlitePoolOptions,
    options: SqliteConnectOptions,
    path: &Path,
) -> Result<SqlitePool, StoreError> {
    let connected = pool.connect_with(options).await;
    connected.map_err(|error| StoreError::Open { what: shown(path), reason: error.to_string() })
}
