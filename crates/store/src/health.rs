//! What a database says about itself, for somebody who has to find out what is wrong. Nothing here judges.

use afluente_model::Timestamp;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, FromRow};
use uuid::Uuid;

use crate::cell::Moment;
use crate::error::StoreError;
use crate::migration;
use crate::postgres::{Server, in_time};
use crate::rows::{Statement, text};
use crate::sqlite;
use crate::{Location, Schema};

static SERVER: Statement = text!("postgres/health");
static RIGHTS: Statement = text!("postgres/rights");
static LEAVE_BEHIND: Statement = text!("postgres/leave_behind");
static LEFT_BEHIND: Statement = text!("postgres/left_behind");
static FILE: Statement = text!("sqlite/health");

/// How a ledger does.
#[derive(Clone, Debug)]
pub enum Health {
    /// In a file.
    File(FileHealth),
    /// On a server.
    Server(Box<ServerHealth>),
}

/// How a file of SQLite does.
#[derive(Clone, Debug, FromRow)]
pub struct FileHealth {
    /// `wal` as we leave it.
    pub journal_mode: String,
    /// `ok`, or the first thing that is wrong with the file.
    pub check_says: String,
    /// Its size.
    pub bytes: i64,
}

/// How a Postgres server and our database on it do.
#[derive(Clone, Debug)]
pub struct ServerHealth {
    /// What it says about itself.
    pub says: ServerSays,
    /// Tables of ours this role may not read and write.
    pub without_rights: Vec<String>,
    /// Whether another client sees what our session set: a pooler hands connections on after each transaction.
    pub shared_sessions: bool,
    /// Our clock when the server's was read, and how long the question took.
    pub asked_at: Timestamp,
    /// Microseconds the question took.
    pub asked_micros: i64,
}

/// What a server says about itself.
#[derive(Clone, Debug, FromRow)]
#[allow(clippy::struct_excessive_bools, reason = "the settings are what they are")]
pub struct ServerSays {
    /// As 150018 for 15.18.
    pub version: i64,
    /// As people write it.
    pub version_text: String,
    /// Whether it follows another server and takes no writes.
    pub in_recovery: bool,
    /// Who we are to it.
    pub role: String,
    /// The schema unqualified names are made in.
    pub searched: String,
    /// Whether a commit reaches the disk.
    pub fsync: bool,
    /// Whether a torn page can be mended after a crash.
    pub full_page_writes: bool,
    /// `on` or stronger, or how much of a commit is waited for.
    pub synchronous_commit: String,
    /// Whether it cleans up by itself.
    pub autovacuum: bool,
    /// Whether transactions are read-only unless they say otherwise.
    pub read_only: bool,
    /// How many connections there may be.
    pub connections_allowed: i64,
    /// How many there are.
    pub connections_used: i64,
    /// Whether this connection is encrypted.
    pub encrypted: bool,
    /// Its address as it sees it; empty through a socket of the file system.
    pub address: String,
    /// Its clock.
    #[sqlx(try_from = "Moment")]
    pub clock: Timestamp,
    /// Size of the database.
    pub bytes: i64,
    /// How long the oldest transaction of anybody else has been open.
    pub oldest_transaction_seconds: i64,
}

impl Health {
    /// Asks. `now` is this machine's clock. Changes nothing; works on a ledger whose schema is not ours as well.
    pub async fn ask(location: &Location, now: fn() -> Timestamp) -> Result<(Schema, Health), StoreError> {
        match location {
            Location::Folder(folder) => {
                let pool = sqlite::readers(&sqlite::existing(folder)?).await?;
                let schema = migration::read_sqlite(&pool).await?;
                let health = sqlx::query_as(FILE.sqlite).fetch_one(&pool).await?;
                pool.close().await;
                Ok((schema, Health::File(health)))
            }
            Location::Server(server) => {
                let mut connection = server.connect().await?;
                let schema = migration::read_postgres(&mut connection).await?;
                let health = ask_server(server, &mut connection, now, !schema.applied.is_empty()).await?;
                connection.close().await?;
                Ok((schema, Health::Server(Box::new(health))))
            }
        }
    }
}

async fn ask_server(
    server: &Server,
    connection: &mut PgConnection,
    now: fn() -> Timestamp,
    has_ledger: bool,
) -> Result<ServerHealth, StoreError> {
    let asked_at = now();
    let says = sqlx::query_as(SERVER.postgres).fetch_one(&mut *connection).await?;
    let asked_micros = now().as_micros() - asked_at.as_micros();
    let without_rights =
        if has_ledger { sqlx::query_scalar(RIGHTS.postgres).fetch_all(&mut *connection).await? } else { Vec::new() };
    let shared_sessions = are_sessions_shared(server, connection).await?;
    Ok(ServerHealth { says, without_rights, shared_sessions, asked_at, asked_micros })
}

/// Leaves a word in one session and looks for it in another.
pub(crate) async fn are_sessions_shared(server: &Server, connection: &mut PgConnection) -> Result<bool, StoreError> {
    let word = Uuid::now_v7().to_string();
    let _: String = sqlx::query_scalar(LEAVE_BEHIND.postgres).bind(&word).fetch_one(connection).await?;
    let mut other = server.connect().await?;
    let looked = sqlx::query_scalar(LEFT_BEHIND.postgres).fetch_one(&mut other);
    let found: String = in_time(std::time::Duration::from_secs(5), looked).await?;
    other.close().await?;
    Ok(found == word)
}
