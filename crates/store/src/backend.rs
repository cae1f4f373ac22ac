//! The ledger, whichever database it is in, and the macro through which it is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqliteConnection;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

use crate::error::StoreError;
use crate::legacy::Beside;
use crate::postgres::{self, Server};
use crate::rows::{Statement, text};
use crate::sqlite::{self, Log};
use crate::switch::{Switch, Switches};
pub use crate::tx::Tx;
use crate::work::Counted;

static PING: Statement = text!("ping");

/// The most a probe writes.
const PROBE_LIMIT_BYTES: usize = 1 << 20;

/// Where a ledger is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file of SQLite in this folder.
    Folder(PathBuf),
    /// A database of a Postgres server.
    Server(Server),
}

/// How the ledger is opened.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// SQLite: how long a statement waits for another process that holds the write lock.
    pub busy_timeout: Duration,
    /// SQLite: pages of the file at most, 4 KiB each; `None` for as many as the disk has. Past it writing fails as on a
    /// full disk.
    pub max_pages: Option<u32>,
    /// SQLite: bytes of the write-ahead log before it is moved into the file.
    pub log_bytes: u64,
    /// Postgres: connections at most. SQLite has one writer.
    pub connections: u32,
    /// Postgres: how long a statement waits for another transaction that holds a lock.
    pub lock_timeout: Duration,
    /// Postgres: how long a statement may run before the server ends it.
    pub statement_timeout: Duration,
    /// Postgres: how long the answer to a statement that only reads may take. Whoever serves and has to be able to stop
    /// waits for a silent network no longer than this.
    pub reading: Duration,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            busy_timeout: Duration::from_secs(5),
            max_pages: None,
            log_bytes: sqlite::LOG_BYTES,
            connections: 4,
            lock_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
            reading: postgres::READING,
        }
    }
}

/// The ledger. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: Pool,
    /// That of a file that is written.
    pub(crate) log: Option<Arc<Log>>,
    pub(crate) options: StoreOptions,
    pub(crate) counted: Arc<Counted>,
    pub(crate) beside: Option<Arc<Beside>>,
    pub(crate) customers: Arc<Switches>,
}

/// Connections to the one database or the other.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// What a statement that only reads gives, whichever database it runs on.
macro_rules! fetch {
    ($store:expr, $fetch:ident, $statement:expr $(, $bind:expr)*) => {
        match $store.pool() {
            $crate::backend::Pool::Sqlite(pool) => {
                sqlx::query_as($statement.sqlite)$(.bind($bind))*.$fetch(pool).await.map_err($crate::StoreError::from)
            }
            $crate::backend::Pool::Postgres(pool) => {
                let mut reader = $crate::postgres::Reader::of(pool).await?;
                let asked = sqlx::query_as($statement.postgres)$(.bind($bind))*.$fetch(&mut *reader.connection);
                let read = $crate::postgres::in_time($store.reading(), asked).await;
                reader.done(read)
            }
        }
    };
}
pub(crate) use fetch;

impl Store {
    /// Opens the ledger for writing, creating it and bringing its schema up to date.
    pub async fn open(location: impl Into<Location>) -> Result<Store, StoreError> {
        Store::open_with(location, StoreOptions::default()).await
    }

    /// The same with options.
    pub async fn open_with(location: impl Into<Location>, options: StoreOptions) -> Result<Store, StoreError> {
        match location.into() {
            Location::Folder(folder) => {
                let (pool, log) = sqlite::open(&folder, &options).await?;
                Ok(Store { log: Some(log), ..Store::of(Pool::Sqlite(pool), options) })
            }
            Location::Server(server) => {
                Ok(Store::of(Pool::Postgres(postgres::open(&server, &options).await?), options))
            }
        }
    }

    fn of(pool: Pool, options: StoreOptions) -> Store {
        Store { pool, log: None, options, counted: Arc::default(), beside: None, customers: customers() }
    }

    /// Opens an existing ledger for reading, beside a running process or without one.
    pub async fn open_read_only(location: impl Into<Location>) -> Result<Store, StoreError> {
        let pool = match location.into() {
            Location::Folder(folder) => Pool::Sqlite(sqlite::open_read_only(&folder).await?),
            Location::Server(server) => Pool::Postgres(postgres::open_read_only(&server).await?),
        };
        Ok(Store::of(pool, StoreOptions::default()))
    }

    /// Opens an existing ledger as it is at this moment: every read sees the same state, whatever a running process
    /// writes meanwhile. For walks over everything.
    pub async fn open_snapshot(location: impl Into<Location>) -> Result<Store, StoreError> {
        let pool = match location.into() {
            Location::Folder(folder) => Pool::Sqlite(sqlite::open_snapshot(&folder).await?),
            Location::Server(server) => Pool::Postgres(postgres::open_snapshot(&server).await?),
        };
        Ok(Store::of(pool, StoreOptions::default()))
    }

    /// Begins a unit of work that will write.
    ///
    /// On SQLite the write lock is taken at once, so nothing read in it can be stale. On Postgres each statement sees what
    /// committed before it: lock first, read afterwards.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Tx::begin(self).await
    }

    /// Whether the ledger takes a commit of about this many bytes. Only a write that commits can tell: on a full disk a
    /// transaction begins and rolls back as if all were well.
    pub async fn probe(&self, bytes: usize) -> Result<(), StoreError> {
        for filler in [bytes.min(PROBE_LIMIT_BYTES), 0] {
            let mut tx = self.begin().await?;
            tx.fill_probe(vec![0; filler]).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The same ledger, beside a legacy application in its database.
    #[must_use]
    pub fn beside(mut self, legacy: Beside) -> Store {
        self.beside = Some(Arc::new(legacy));
        self
    }

    /// The same ledger, with customers for those accounts alone; without this for all.
    #[must_use]
    pub fn with_customers(mut self, switches: Switches) -> Store {
        self.customers = Arc::new(switches);
        self
    }

    /// For whom customers are written.
    #[must_use]
    pub fn customers_of(&self) -> &Switches {
        &self.customers
    }

    /// Whether the ledger answers, and may be written if it was opened for that.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.log.as_deref().map_or(Ok(()), Log::check)?;
        let _: (i64,) = fetch!(self, fetch_one, PING)?;
        Ok(())
    }

    /// Lets running statements end and closes it; a write-ahead log of SQLite is moved into the file. After
    /// [`StoreError::Doubted`] its file stays open until the process ends.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => sqlite::close(pool, self.log.as_deref()).await,
            Pool::Postgres(pool) => postgres::close(pool).await,
        }
    }

    /// What SQLite's log needs once a commit was tried.
    pub(crate) async fn after_a_commit(&self, connection: &mut SqliteConnection, committed: bool) {
        let Some(log) = &self.log else { return };
        if !committed {
            log.distrust();
        } else if log.shorten(connection).await.is_err() {
            // Closed it would delete the log.
            std::mem::forget(self.clone());
        }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// How long the answer of a server to a statement that only reads may take.
    pub(crate) fn reading(&self) -> Duration {
        self.options.reading
    }
}

/// Customers are written as a rule.
fn customers() -> Arc<Switches> {
    Arc::new(Switches::all(Switch::On))
}

impl From<&Path> for Location {
    fn from(folder: &Path) -> Location {
        Location::Folder(folder.to_owned())
    }
}

impl From<&Location> for Location {
    fn from(location: &Location) -> Location {
        location.clone()
    }
}
