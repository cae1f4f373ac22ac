//! The ledger as a database of a Postgres server.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, Postgres};

use crate::backend::StoreOptions;
use crate::error::StoreError;
use crate::migration;
use crate::rows::{Statement, text};

static SEARCHED: Statement = text!("postgres/searched");

/// The schema all tables of ours are in.
pub(crate) const SCHEMA: &str = "afluente";

/// How long a statement of a command that only reads may take.
pub(crate) const READING: Duration = Duration::from_secs(600);

/// How long opening a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// How long closing all connections may take.
const CLOSING: Duration = Duration::from_secs(10);

/// How long a transaction may do nothing before the server ends it: a worker that was stopped keeps nobody waiting.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(30);

/// A connection that was idle for longer is asked whether it still lives before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// And has this long to answer.
const ALIVE: Duration = Duration::from_secs(1);

/// A Postgres server and the database on it. Its password is never shown.
#[derive(Clone)]
pub struct Server {
    options: Box<PgConnectOptions>,
    shown: String,
    password: bool,
}

impl FromStr for Server {
    type Err = String;

    /// Reads `postgres://user:password@host:port/database?sslmode=verify-full`. The error never repeats the text, which
    /// may hold a password.
    fn from_str(url: &str) -> Result<Server, String> {
        let expected = "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE";
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let scheme = url.split_once("://").map_or("no scheme", |(scheme, _)| scheme);
            return Err(format!("{expected}, got {:?}", scheme.chars().take(20).collect::<String>()));
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| format!("{expected}, got something else"))?;
        let Some(database) = options.get_database() else {
            return Err(format!("{expected}, got no database"));
        };
        let shown = format!("postgres://{}:{}/{database}", options.get_host(), options.get_port());
        let authority = url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next()).unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        let password = user.is_some_and(|user| user.contains(':')) || url.contains("password=");
        Ok(Server { options: Box::new(options), shown, password })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Whatever a server is asked for ends: a network that went silent gives no error by itself.
pub(crate) async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    if let Ok(done) = tokio::time::timeout(limit, work).await {
        return done.map_err(StoreError::from);
    }
    let silence = io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {limit:?}"));
    Err(StoreError::Unavailable(sqlx::Error::Io(silence)))
}

/// A connection of the pool that reads. It goes back only when it was heard to the end: one that is still owed an answer
/// would keep whoever closes the pool waiting for it.
pub(crate) struct Reader {
    pub(crate) connection: PoolConnection<Postgres>,
    heard: bool,
}

impl Reader {
    pub(crate) async fn of(pool: &PgPool) -> Result<Reader, StoreError> {
        Ok(Reader { connection: pool.acquire().await?, heard: false })
    }

    pub(crate) fn done<T>(mut self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        self.heard = read.is_ok();
        read
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.heard {
            self.connection.close_on_drop();
        }
    }
}

/// How long the answer to one statement may take: the server ends it before that, if it can be heard.
pub(crate) fn deadline(options: &StoreOptions) -> Duration {
    options.statement_timeout + CONNECTING
}

/// Closes a pool, but waits no longer than this: sqlx asks a connection that goes back whether it lives, and in a network that
/// went silent right then nobody answers it, ever.
pub(crate) async fn close(pool: &PgPool) {
    // What is not closed by then ends with the process.
    let _ = tokio::time::timeout(CLOSING, pool.close()).await;
}

/// A pool for a worker. The schema is brought up to date on a connection of its own first.
pub(crate) async fn open(server: &Server, settings: &StoreOptions) -> Result<PgPool, StoreError> {
    migration::up_postgres(server).await?;
    check_version(server).await?;
    connect(server, pool(settings.connections)).await
}

/// A pool for a command that reads.
pub(crate) async fn open_read_only(server: &Server) -> Result<PgPool, StoreError> {
    check_version(server).await?;
    connect(server, pool(4)).await
}

/// One connection that sees the ledger as it is at its first statement, for as long as it lives.
pub(crate) async fn open_snapshot(server: &Server) -> Result<PgPool, StoreError> {
    check_version(server).await?;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        // The one connection reads inside one transaction that is never ended; closing the pool ends it.
        .after_connect(|connection, _| {
            Box::pin(async move {
                check_schema(connection).await?;
                let begin = "begin isolation level repeatable read read only";
                sqlx::query(begin).execute(connection).await.map(drop)
            })
        });
    connect(server, pool).await
}

/// Nobody works on a schema he does not know, or on somebody else's tables. Asked on a connection of its own: a pool tries
/// one that was refused again and again, and tells in the end that time ran out.
async fn check_version(server: &Server) -> Result<(), StoreError> {
    let mut connection = server.connect().await?;
    let schema = migration::read_postgres(&mut connection).await?;
    if schema.applied.is_empty() {
        return Err(StoreError::Missing { what: server.to_string() });
    }
    schema.check()?;
    check_schema(&mut connection).await.map_err(|error| server.cannot_open(error.into()))?;
    connection.close().await.map_err(StoreError::from)
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECTING)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for < TRUSTED_IDLE {
                    return Ok(true);
                }
                // One that does not answer is closed, and the next is tried.
                tokio::time::timeout(ALIVE, connection.ping()).await.map_err(io::Error::from)??;
                Ok(true)
            })
        })
        .after_connect(|connection, _| Box::pin(check_schema(connection)))
}

async fn connect(server: &Server, pool: PgPoolOptions) -> Result<PgPool, StoreError> {
    in_time(CONNECTING, pool.connect_with(server.options())).await.map_err(|error| server.cannot_open(error))
}

/// That unqualified names find our tables and nobody else's: an application beside us may have a table `payments` too.
///
/// The path is a property of the role in the database, not of the session: behind a pooler that hands a connection to
/// another client after every transaction, what a session set is gone.
async fn check_schema(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let schema: Option<String> = sqlx::query_scalar(SEARCHED.postgres).fetch_one(connection).await?;
    if schema.as_deref() == Some(SCHEMA) {
        return Ok(());
    }
    let got = schema.unwrap_or_else(|| "none".to_owned());
    Err(sqlx::Error::Configuration(
        format!(
            "expected the schema afluente to be the first in this role's search_path, got {got}: \
             run `afluente migrate`, or as a role that may: \
             alter role ROLE in database DATABASE set search_path = afluente"
        )
        .into(),
    ))
}

/// Begins a transaction of a worker. What it sets ends with the transaction, so that it holds behind a pooler too, and
/// goes in one message. Plans are pinned to index look-ups, in the order a statement is written in (the batch first): on tables
/// that nobody analysed yet, or only while they were small, the planner reads whole ones and keeps such a plan.
pub(crate) async fn begin(connection: &mut PgConnection, options: &StoreOptions) -> Result<(), StoreError> {
    let text = format!(
        "begin; set local lock_timeout = {}; set local statement_timeout = {}; \
         set local idle_in_transaction_session_timeout = {}; set local enable_seqscan = off; \
         set local enable_hashjoin = off; set local enable_mergejoin = off; set local join_collapse_limit = 1; \
         set local from_collapse_limit = 1; set local jit = off",
        options.lock_timeout.as_millis(),
        options.statement_timeout.as_millis(),
        IDLE_IN_TRANSACTION.as_millis(),
    );
    // Numbers of ours and nothing else.
    let begin = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(connection);
    in_time(deadline(options), begin).await.map(drop)
}

impl Server {
    /// Whether the URL holds a password, so that it must not be shown.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password
    }

    /// Another database of the same server.
    pub(crate) fn named(&self, database: &str) -> Server {
        let options = PgConnectOptions::clone(&self.options).database(database);
        let shown = format!("postgres://{}:{}/{database}", options.get_host(), options.get_port());
        Server { options: Box::new(options), shown, password: self.password }
    }

    /// How to connect.
    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::clone(&self.options).application_name("afluente").statement_cache_capacity(128)
    }

    /// One connection, outside of any pool.
    pub(crate) async fn connect(&self) -> Result<PgConnection, StoreError> {
        in_time(CONNECTING, PgConnection::connect_with(&self.options())).await.map_err(|error| self.cannot_open(error))
    }

    /// What opening says when it fails: with which server, and nothing of the password.
    pub(crate) fn cannot_open(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Unavailable(error) | StoreError::Failed(error) => {
                StoreError::Open { what: self.to_string(), reason: error.to_string() }
            }
            other => other,
        }
    }
}
