//! One unit of work, and the two functions through which every statement of one runs.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Postgres, Sqlite};

use crate::backend::{Pool, Store};
use crate::error::StoreError;
use crate::input::{Blob, Row, columns, json_rows};
use crate::legacy::Beside;
use crate::postgres;
use crate::rows::{Packed, Statement, text};
use crate::sqlite::Log;
use crate::switch::Switches;

static PROBE: Statement = text!("probe");

/// One unit of work. Dropping it takes everything back.
pub struct Tx {
    held: Held,
    pub(crate) failed: bool,
    /// How long an answer of a server may take before its silence is taken for its end.
    pub(crate) deadline: Duration,
    pub(crate) store: Store,
}

/// The connection of a unit of work. It goes back to the pool only when its transaction has ended as it should: SQLite
/// ends a transaction by itself on some errors, and a future dropped half-way leaves nobody who knows. Whoever took such
/// a connection next could not begin, or would commit what is not its own. So it is closed instead, which takes back
/// whatever was open.
struct Held {
    connection: Connection,
    clean: bool,
}

pub(crate) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.clean {
            match &mut self.connection {
                Connection::Sqlite(connection) => connection.close_on_drop(),
                Connection::Postgres(connection) => connection.close_on_drop(),
            }
        }
    }
}

/// Runs one statement with rows and their bodies, on whichever database the unit of work is.
macro_rules! run {
    ($tx:expr, $query:ident, $with:ident, $method:ident, $statement:expr, $rows:expr, $blob:expr) => {{
        $tx.store.counted.statement();
        let deadline = $tx.deadline;
        let done = match $tx.connection()? {
            Connection::Sqlite(connection) => {
                let mut query = sqlx::$query($statement.sqlite).bind(json_rows($rows)?);
                if let Some(blob) = $blob {
                    query = query.bind(Blob::into_bytes(blob));
                }
                query.$method(&mut **connection).await.map(Into::into).map_err(StoreError::from)
            }
            Connection::Postgres(connection) => {
                let query = sqlx::$with($statement.postgres, columns($rows)?);
                postgres::in_time(deadline, query.$method(&mut **connection)).await.map(Into::into)
            }
        };
        $tx.outcome(done)
    }};
}

/// How many rows a statement changed.
struct Changed(u64);

impl From<sqlx::sqlite::SqliteQueryResult> for Changed {
    fn from(done: sqlx::sqlite::SqliteQueryResult) -> Changed {
        Changed(done.rows_affected())
    }
}

impl From<sqlx::postgres::PgQueryResult> for Changed {
    fn from(done: sqlx::postgres::PgQueryResult) -> Changed {
        Changed(done.rows_affected())
    }
}

fn unpack<R: DeserializeOwned>(packed: &str) -> Result<Vec<R>, StoreError> {
    serde_json::from_str(packed).map_err(|error| StoreError::Failed(sqlx::Error::Decode(error.into())))
}

impl Tx {
    pub(crate) async fn begin(store: &Store) -> Result<Tx, StoreError> {
        let Store { pool, log, options, counted, .. } = store;
        let deadline = postgres::deadline(options);
        log.as_deref().map_or(Ok(()), Log::check)?;
        let connection = match pool {
            Pool::Sqlite(pool) => Connection::Sqlite(pool.acquire().await?),
            Pool::Postgres(pool) => Connection::Postgres(postgres::in_time(deadline, pool.acquire()).await?),
        };
        let mut held = Held { connection, clean: false };
        match &mut held.connection {
            Connection::Sqlite(connection) => {
                sqlx::query("begin immediate").execute(&mut **connection).await?;
            }
            Connection::Postgres(connection) => postgres::begin(connection, options).await?,
        }
        counted.statement();
        Ok(Tx { held, failed: false, deadline, store: store.clone() })
    }

    /// Makes everything done so far durable. After an error the work has to be done again.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.end("commit").await
    }

    /// Takes everything back. Dropping does the same, and closes the connection.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.end("rollback").await
    }

    async fn end(mut self, how: &'static str) -> Result<(), StoreError> {
        let (deadline, store) = (self.deadline, self.store.clone());
        match self.connection()? {
            Connection::Sqlite(connection) => {
                let ended = sqlx::query(how).execute(&mut **connection).await;
                store.after_a_commit(connection, ended.is_ok()).await;
                ended?;
            }
            Connection::Postgres(connection) => {
                postgres::in_time(deadline, sqlx::query(how).execute(&mut **connection)).await?;
            }
        }
        self.held.clean = true;
        self.store.counted.commit();
        Ok(())
    }

    /// The legacy application beside whose rows it writes, if there is one.
    #[must_use]
    pub fn beside(&self) -> Option<Arc<Beside>> {
        self.store.beside.clone()
    }

    /// For whom customers are written.
    #[must_use]
    pub fn customers_of(&self) -> Arc<Switches> {
        Arc::clone(&self.store.customers)
    }

    /// Whether others may write at the same time.
    pub(crate) fn is_of_a_server(&self) -> bool {
        matches!(self.held.connection, Connection::Postgres(_))
    }

    /// What a statement came to: one that failed ends the transaction.
    pub(crate) fn outcome<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        self.failed = outcome.is_err();
        outcome
    }

    /// The connection, while the transaction lives: a statement after one that failed would commit by itself.
    pub(crate) fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        if self.failed { Err(StoreError::Over) } else { Ok(&mut self.held.connection) }
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) async fn execute<R: Row>(&mut self, statement: &Statement, rows: &[R]) -> Result<u64, StoreError> {
        self.execute_with(statement, rows, None).await
    }

    /// The same with bodies that the rows are parts of.
    pub(crate) async fn execute_with<R: Row>(
        &mut self,
        statement: &Statement,
        rows: &[R],
        bodies: Option<Blob<'_>>,
    ) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let changed: Result<Changed, StoreError> = run!(self, query, query_with, execute, statement, rows, bodies);
        changed.map(|changed| changed.0)
    }

    /// Runs a statement; returns the rows it gives.
    pub(crate) async fn fetch<R, T>(&mut self, statement: &Statement, rows: &[R]) -> Result<Vec<T>, StoreError>
    where
        R: Row,
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        run!(self, query_as, query_as_with, fetch_all, statement, rows, None::<Blob<'_>>)
    }

    /// Runs a statement that gives many rows.
    pub(crate) async fn gather<R, T>(&mut self, statement: &Packed, rows: &[R]) -> Result<Vec<T>, StoreError>
    where
        R: Row,
        T: DeserializeOwned + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.store.counted.statement();
        let deadline = self.deadline;
        let gathered = match self.connection()? {
            Connection::Sqlite(connection) => {
                let query = sqlx::query_scalar(statement.sqlite).bind(json_rows(rows)?);
                let packed = query.fetch_one(&mut **connection).await;
                packed.map_err(StoreError::from).and_then(|packed: String| unpack(&packed))
            }
            Connection::Postgres(connection) => {
                let query = sqlx::query_as_with(statement.postgres, columns(rows)?);
                postgres::in_time(deadline, query.fetch_all(&mut **connection)).await
            }
        };
        self.outcome(gathered)
    }

    /// Runs a statement without rows that gives a number. Only Postgres has such.
    pub(crate) async fn ask(&mut self, statement: &Statement) -> Result<i64, StoreError> {
        let deadline = self.deadline;
        let Connection::Postgres(connection) = self.connection()? else { return Ok(0) };
        let asked = sqlx::query_scalar(statement.postgres).fetch_one(&mut **connection);
        let answer = postgres::in_time(deadline, asked).await;
        self.outcome(answer)
    }

    /// Runs a statement only Postgres has; returns the rows it gives.
    pub(crate) async fn fetch_there<R, T>(&mut self, statement: &Statement, rows: &[R]) -> Result<Vec<T>, StoreError>
    where
        R: Row,
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let deadline = self.deadline;
        let Connection::Postgres(connection) = self.connection()? else { return Ok(Vec::new()) };
        let fetching = sqlx::query_as_with(statement.postgres, columns(rows)?).fetch_all(&mut **connection);
        let fetched = postgres::in_time(deadline, fetching).await;
        self.store.counted.statement();
        self.outcome(fetched)
    }

    /// Calls a function of Postgres that takes a list as JSON; returns the rows it gives.
    pub(crate) async fn call<T>(
        &mut self,
        statement: &Statement,
        items: &[serde_json::Value],
    ) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let deadline = self.deadline;
        let Connection::Postgres(connection) = self.connection()? else { return Ok(Vec::new()) };
        let list = serde_json::Value::from(items).to_string();
        let calling = sqlx::query_as(statement.postgres).bind(list).fetch_all(&mut **connection);
        let called = postgres::in_time(deadline, calling).await;
        self.store.counted.statement();
        self.outcome(called)
    }

    /// Writes so many bytes into the one row that is there to be written.
    pub(crate) async fn fill_probe(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let deadline = self.deadline;
        let done = match self.connection()? {
            Connection::Sqlite(connection) => {
                let filled = sqlx::query(PROBE.sqlite).bind(bytes).execute(&mut **connection).await;
                filled.map(drop).map_err(StoreError::from)
            }
            Connection::Postgres(connection) => {
                let filling = sqlx::query(PROBE.postgres).bind(bytes).execute(&mut **connection);
                postgres::in_time(deadline, filling).await.map(drop)
            }
        };
        self.outcome(done)
    }
}
