//! The schema: the same numbered migrations for both databases, each change of it in one transaction.

use std::sync::LazyLock;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection, Executor};

use crate::backend::Location;
use crate::error::StoreError;
use crate::postgres::{SCHEMA, Server};
use crate::rows::{Statement, text};
use crate::sqlite;

static SQLITE: LazyLock<Migrator> = LazyLock::new(|| unlocked(sqlx::migrate!("migrations/sqlite")));
static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| unlocked(sqlx::migrate!("migrations/postgres")));

static MIGRATED: Statement = Statement {
    sqlite: include_str!("../sql/sqlite/migrated.sql"),
    postgres: include_str!("../sql/postgres/migrated.sql"),
};
static APPLIED: Statement = Statement {
    sqlite: include_str!("../sql/sqlite/migrations.sql"),
    postgres: include_str!("../sql/postgres/migrations.sql"),
};
static SEARCHED: Statement = text!("postgres/searched");
static OWNED_ELSEWHERE: Statement = text!("postgres/owned_elsewhere");
static SEARCH_OURS: Statement = text!("postgres/search_ours");
static LOCK: Statement = text!("postgres/lock_schema");

/// Where the schema of a ledger stands, as the numbers of its migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Those the ledger has, oldest first; none if there is no ledger.
    pub applied: Vec<i64>,
    /// Those this program knows.
    pub known: Vec<i64>,
}

impl Schema {
    /// Reads it and changes nothing.
    pub async fn read(location: &Location) -> Result<Schema, StoreError> {
        match location {
            Location::Folder(folder) => match sqlite::existing(folder) {
                Ok(path) => read_sqlite(&sqlite::readers(&path).await?).await,
                Err(_) => Ok(Schema { applied: Vec::new(), known: known(&SQLITE) }),
            },
            Location::Server(server) => read_postgres(&mut server.connect().await?).await,
        }
    }

    /// Brings the ledger to the schema this program knows, all of it or nothing; returns what it was before. Two at once: one
    /// waits and finds nothing left to do.
    pub async fn up(location: &Location) -> Result<Schema, StoreError> {
        match location {
            Location::Folder(folder) => up_sqlite(&sqlite::writer(folder).await?).await,
            Location::Server(server) => up_postgres(server).await,
        }
    }

    /// Takes the last `count` migrations back, all of them or none; returns what it was before. Their tables go with all that
    /// is in them.
    pub async fn down(location: &Location, count: usize) -> Result<Schema, StoreError> {
        match location {
            Location::Folder(folder) => {
                sqlite::existing(folder)?;
                let pool = sqlite::writer(folder).await?;
                let before = read_sqlite(&pool).await?;
                let mut connection = pool.acquire().await?;
                let mut tx = connection.begin_with("begin immediate").await?;
                SQLITE.undo(&mut *tx, before.target(count)?).await.map_err(failed)?;
                tx.commit().await?;
                Ok(before)
            }
            Location::Server(server) => {
                let mut connection = server.connect().await?;
                let before = read_postgres(&mut connection).await?;
                change(&mut connection, Change::Down(before.target(count)?)).await?;
                Ok(before)
            }
        }
    }

    /// Whether this program can work with it: neither behind nor ahead.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.applied == self.known
    }

    /// Those this program knows and the ledger has not.
    pub fn pending(&self) -> impl Iterator<Item = i64> + '_ {
        self.known.iter().copied().filter(|version| !self.applied.contains(version))
    }

    /// Those the ledger has and this program does not know: a newer version made them.
    pub fn unknown(&self) -> impl Iterator<Item = i64> + '_ {
        self.applied.iter().copied().filter(|version| !self.known.contains(version))
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.is_current() {
            return Ok(());
        }
        let Schema { applied, known } = self;
        let advice = match self.unknown().next() {
            Some(_) => "a newer version made it, and that version can take it back",
            None => "`afluente migrate` makes what is missing, and so does `afluente up` where its role may",
        };
        Err(StoreError::Migration(format!("expected migrations {known:?}, found {applied:?}: {advice}")))
    }

    /// Refuses what a newer version made: taking it back or working on it takes that version.
    fn refuse_newer(&self) -> Result<(), StoreError> {
        if self.unknown().next().is_some() { self.check() } else { Ok(()) }
    }

    /// The version that is left after the last `count` are taken back.
    fn target(&self, count: usize) -> Result<i64, StoreError> {
        self.refuse_newer()?;
        let left = self.applied.len().saturating_sub(count);
        Ok(left.checked_sub(1).and_then(|last| self.applied.get(last)).copied().unwrap_or(0))
    }
}

pub(crate) async fn read_sqlite(pool: &SqlitePool) -> Result<Schema, StoreError> {
    let (migrated,): (bool,) = sqlx::query_as(MIGRATED.sqlite).fetch_one(pool).await?;
    let applied = if migrated { sqlx::query_scalar(APPLIED.sqlite).fetch_all(pool).await? } else { Vec::new() };
    Ok(Schema { applied, known: known(&SQLITE) })
}

pub(crate) async fn up_sqlite(pool: &SqlitePool) -> Result<Schema, StoreError> {
    let before = read_sqlite(pool).await?;
    before.refuse_newer()?;
    if !before.is_current() {
        let mut connection = pool.acquire().await?;
        let mut tx = connection.begin_with("begin immediate").await?;
        SQLITE.run_direct(None, &mut *tx, false).await.map_err(failed)?;
        tx.commit().await?;
    }
    Ok(before)
}

pub(crate) async fn read_postgres(connection: &mut PgConnection) -> Result<Schema, StoreError> {
    let migrated: bool = sqlx::query_scalar(MIGRATED.postgres).fetch_one(&mut *connection).await?;
    let applied = if migrated { sqlx::query_scalar(APPLIED.postgres).fetch_all(connection).await? } else { Vec::new() };
    Ok(Schema { applied, known: known(&POSTGRES) })
}

/// A role that may not change the schema is not asked to when there is nothing to change.
pub(crate) async fn up_postgres(server: &Server) -> Result<Schema, StoreError> {
    let mut connection = server.connect().await?;
    let before = read_postgres(&mut connection).await?;
    before.refuse_newer()?;
    if !before.is_current() {
        refuse_shared(&mut connection).await?;
        change(&mut connection, Change::Up).await?;
    }
    search_ours(&mut connection).await?;
    connection.close().await?;
    Ok(before)
}

/// Where a change of the schema goes.
#[derive(Clone, Copy)]
enum Change {
    Up,
    /// Down to this version.
    Down(i64),
}

/// Changes the schema, again after a pause if workers' transactions were in its way: they lock tables as their batches need
/// them, a change takes all, and the server ends either when they wait for each other.
async fn change(connection: &mut PgConnection, change: Change) -> Result<(), StoreError> {
    let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(50)).with_max_times(8).with_jitter();
    for wait in waits.build() {
        match change_once(connection, change).await {
            Err(StoreError::Contended { .. }) => tokio::time::sleep(wait).await,
            done => return done,
        }
    }
    change_once(connection, change).await
}

async fn change_once(connection: &mut PgConnection, change: Change) -> Result<(), StoreError> {
    let mut tx = connection.begin().await?;
    tx.execute(LOCK.postgres).await?;
    match change {
        Change::Up => POSTGRES.run_direct(None, &mut *tx, false).await,
        Change::Down(version) => POSTGRES.undo(&mut *tx, version).await,
    }
    .map_err(failed)?;
    tx.commit().await.map_err(StoreError::from)
}

/// Lets this role find our schema.
async fn search_ours(connection: &mut PgConnection) -> Result<(), StoreError> {
    let searched: Option<String> = sqlx::query_scalar(SEARCHED.postgres).fetch_one(&mut *connection).await?;
    if searched.as_deref() != Some(SCHEMA) {
        refuse_shared(connection).await?;
        let mut tx = connection.begin().await?;
        tx.execute(LOCK.postgres).await?;
        tx.execute(SEARCH_OURS.postgres).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// A role that finds our schema first makes whatever it makes in it: the role of another application must not.
async fn refuse_shared(connection: &mut PgConnection) -> Result<(), StoreError> {
    let shared: bool = sqlx::query_scalar(OWNED_ELSEWHERE.postgres).fetch_one(connection).await?;
    if !shared {
        return Ok(());
    }
    Err(StoreError::Migration(
        "this role owns tables of another application in this database; give Afluente a role of its own: \
         create role afluente login password '…'; grant create on database … to afluente"
            .to_owned(),
    ))
}

fn unlocked(mut migrator: Migrator) -> Migrator {
    // sqlx's own lock belongs to the session, which a pooler may hand to somebody else. Ours belongs to the transaction.
    migrator.set_locking(false);
    migrator
}

/// The versions this program knows, oldest first.
fn known(migrator: &Migrator) -> Vec<i64> {
    migrator.iter().filter(|one| one.migration_type.is_up_migration()).map(|one| one.version).collect()
}

fn failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => StoreError::from(error),
        other => StoreError::Migration(other.to_string()),
    }
}
