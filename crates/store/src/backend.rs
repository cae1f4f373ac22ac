//! Pools, transactions, and the two functions through which every statement runs.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};

use crate::error::StoreError;
use crate::input::{Input, Statement};

/// The ledger's file name inside a data folder.
pub const LEDGER_FILE: &str = "ledger.sqlite";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a statement waits for another process that holds the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The ledger. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    path: PathBuf,
}

/// One unit of work. Dropping it rolls back.
pub struct Tx {
    pub(crate) inner: sqlx::Transaction<'static, Sqlite>,
}

impl Store {
    /// Opens the ledger in this folder for writing, creating it and bringing its schema up to date.
    ///
    /// One connection writes: SQLite gains nothing from a second, and its waiters starve.
    pub async fn open(folder: &Path) -> Result<Store, StoreError> {
        let path = folder.join(LEDGER_FILE);
        keep_private(&path)?;
        let options = options(&path).create_if_missing(true).synchronous(SqliteSynchronous::Full);
        let pool = connect(options.journal_mode(SqliteJournalMode::Wal), 1, &path).await?;
        let store = Store { pool, path };
        store.migrate().await?;
        Ok(store)
    }

    /// Opens an existing ledger for reading, beside a running process or without one.
    pub async fn open_read_only(folder: &Path) -> Result<Store, StoreError> {
        let path = folder.join(LEDGER_FILE);
        if !path.is_file() {
            return Err(StoreError::Missing { path });
        }
        let pool = connect(options(&path).read_only(true), 4, &path).await?;
        Store::checked(pool, path).await
    }

    /// Opens an existing ledger as it is at this moment: every read sees the same state, whatever a running process
    /// writes meanwhile. For walks over everything.
    pub async fn open_snapshot(folder: &Path) -> Result<Store, StoreError> {
        let path = folder.join(LEDGER_FILE);
        if !path.is_file() {
            return Err(StoreError::Missing { path });
        }
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
            .map_err(|error| StoreError::Open { path: path.clone(), reason: error.to_string() })?;
        Store::checked(pool, path).await
    }

    async fn checked(pool: SqlitePool, path: PathBuf) -> Result<Store, StoreError> {
        let store = Store { pool, path };
        store.check_schema().await?;
        Ok(store)
    }

    /// Begins a unit of work that will write: the write lock is taken at once, so nothing read in it can be stale.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx { inner: self.pool.begin_with("begin immediate").await? })
    }

    /// Whether the ledger answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Where the ledger is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets running statements end, moves the write-ahead log into the file and closes it.
    pub async fn close(&self) {
        // A failed checkpoint loses nothing: the log is replayed at the next start.
        let _ = sqlx::query("pragma wal_checkpoint(truncate)").execute(&self.pool).await;
        self.pool.close().await;
    }

    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        MIGRATIONS.run(&self.pool).await.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) => match StoreError::from(error) {
                StoreError::Failed(error) => StoreError::Open { path: self.path.clone(), reason: error.to_string() },
                other => other,
            },
            other => StoreError::Migration(other.to_string()),
        })
    }

    /// A reading command must not meet a schema it does not know.
    async fn check_schema(&self) -> Result<(), StoreError> {
        let applied: Vec<i64> =
            sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
                .fetch_all(&self.pool)
                .await
                .map_err(|error| StoreError::Open { path: self.path.clone(), reason: error.to_string() })?;
        let known: Vec<i64> =
            MIGRATIONS.iter().filter(|one| one.migration_type.is_up_migration()).map(|one| one.version).collect();
        if applied == known {
            Ok(())
        } else {
            Err(StoreError::Migration(format!("expected migrations {known:?}, found {applied:?}")))
        }
    }
}

/// The ledger holds bodies with names and documents: its owner alone may read it. The log beside it takes the file's mode.
fn keep_private(path: &Path) -> Result<(), StoreError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    opened
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))
        .map_err(|error| StoreError::Open { path: path.to_owned(), reason: error.to_string() })
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
        .map_err(|error| StoreError::Open { path: path.to_owned(), reason: error.to_string() })
}

impl Tx {
    /// Makes everything done so far durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }

    /// Takes everything back. Dropping does the same, later.
    pub async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.inner.rollback().await?)
    }

    pub(crate) async fn execute(&mut self, statement: &Statement, input: Input) -> Result<u64, StoreError> {
        if input.is_empty() {
            return Ok(0);
        }
        let (json, blob) = input.into_parts();
        let mut query = sqlx::query(statement.sqlite).bind(json);
        if let Some(blob) = blob {
            query = query.bind(blob);
        }
        Ok(query.execute(&mut *self.inner).await?.rows_affected())
    }

    pub(crate) async fn fetch<R>(&mut self, statement: &Statement, input: Input) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> sqlx::FromRow<'r, SqliteRow> + Send + Unpin,
    {
        if input.is_empty() {
            return Ok(Vec::new());
        }
        let (json, blob) = input.into_parts();
        let mut query = sqlx::query_as(statement.sqlite).bind(json);
        if let Some(blob) = blob {
            query = query.bind(blob);
        }
        Ok(query.fetch_all(&mut *self.inner).await?)
    }
}
