//! Pools, transactions, and the two functions through which every statement runs.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};

use crate::error::StoreError;
use crate::input::{Input, Statement};

/// The ledger's file name inside a data folder.
pub const LEDGER_FILE: &str = "ledger.sqlite";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// The most a probe writes.
const PROBE_LIMIT_BYTES: usize = 1 << 20;

/// How long a statement waits for another process that holds the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How the ledger is opened.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// How long a statement waits for another process that holds the write lock.
    pub busy_timeout: Duration,
    /// Pages of the file at most, 4 KiB each; `None` for as many as the disk has. Past it writing fails as on a full disk.
    pub max_pages: Option<u32>,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions { busy_timeout: BUSY_TIMEOUT, max_pages: None }
    }
}

/// The ledger. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    path: PathBuf,
}

/// One unit of work. Dropping it takes everything back.
pub struct Tx {
    held: Held,
    failed: bool,
}

/// The connection of a unit of work. It goes back to the pool only when its transaction has ended as it should: SQLite
/// ends a transaction by itself on some errors, and a future dropped half-way leaves nobody who knows. Whoever took such
/// a connection next could not begin, or would commit what is not its own. So it is closed instead, which takes back
/// whatever was open.
struct Held {
    connection: PoolConnection<Sqlite>,
    clean: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.clean {
            self.connection.close_on_drop();
        }
    }
}

impl Store {
    /// Opens the ledger in this folder for writing, creating it and bringing its schema up to date.
    pub async fn open(folder: &Path) -> Result<Store, StoreError> {
        Store::open_with(folder, StoreOptions::default()).await
    }

    /// The same with options.
    ///
    /// One connection writes: SQLite gains nothing from a second, and its waiters starve.
    pub async fn open_with(folder: &Path, settings: StoreOptions) -> Result<Store, StoreError> {
        let path = folder.join(LEDGER_FILE);
        keep_private(&path)?;
        let options = options(&path).create_if_missing(true).synchronous(SqliteSynchronous::Full);
        let mut options = options.busy_timeout(settings.busy_timeout);
        if let Some(pages) = settings.max_pages {
            options = options.pragma("max_page_count", pages.to_string());
        }
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
        let mut held = Held { connection: self.pool.acquire().await?, clean: false };
        sqlx::query("begin immediate").execute(&mut *held.connection).await?;
        Ok(Tx { held, failed: false })
    }

    /// Whether the ledger takes a commit of about this many bytes. Only a write that commits can tell: on a full disk a
    /// transaction begins and rolls back as if all were well.
    pub async fn probe(&self, bytes: usize) -> Result<(), StoreError> {
        let bytes = i64::try_from(bytes.min(PROBE_LIMIT_BYTES)).unwrap_or(0);
        for filler in [bytes, 0] {
            let mut tx = self.begin().await?;
            sqlx::query(include_str!("../sql/sqlite/probe.sql")).bind(filler).execute(tx.connection()?).await?;
            tx.commit().await?;
        }
        Ok(())
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
    /// Makes everything done so far durable. After an error the work has to be done again.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.end("commit").await
    }

    /// Takes everything back. Dropping does the same, and closes the connection.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.end("rollback").await
    }

    async fn end(mut self, how: &'static str) -> Result<(), StoreError> {
        sqlx::query(how).execute(self.connection()?).await?;
        self.held.clean = true;
        Ok(())
    }

    /// The connection, while the transaction lives: a statement after one that failed would commit by itself.
    fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if self.failed { Err(StoreError::Over) } else { Ok(&mut self.held.connection) }
    }

    pub(crate) async fn execute(&mut self, statement: &Statement, input: Input) -> Result<u64, StoreError> {
        if input.is_empty() {
            return Ok(0);
        }
        let (json, blob) = input.into_parts()?;
        let mut query = sqlx::query(statement.sqlite).bind(json);
        if let Some(blob) = blob {
            query = query.bind(blob);
        }
        let done = query.execute(self.connection()?).await;
        self.failed |= done.is_err();
        Ok(done?.rows_affected())
    }

    pub(crate) async fn fetch<R>(&mut self, statement: &Statement, input: Input) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> sqlx::FromRow<'r, SqliteRow> + Send + Unpin,
    {
        if input.is_empty() {
            return Ok(Vec::new());
        }
        let (json, blob) = input.into_parts()?;
        let mut query = sqlx::query_as(statement.sqlite).bind(json);
        if let Some(blob) = blob {
            query = query.bind(blob);
        }
        let rows = query.fetch_all(self.connection()?).await;
        self.failed |= rows.is_err();
        Ok(rows?)
    }
}
