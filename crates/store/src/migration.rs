//! The schema: the same numbered migrations for both databases.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection, Executor};

use crate::error::StoreError;
use crate::postgres::Server;
use crate::rows::{Statement, text};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

static APPLIED: Statement = text!("migrations");
static MIGRATED_THERE: Statement = text!("postgres/migrated");
static APPLIED_THERE: Statement = text!("postgres/migrations");
static OWNED_ELSEWHERE: Statement = text!("postgres/owned_elsewhere");
static SEARCH_OURS: Statement = text!("postgres/search_ours");
static SEARCHED: Statement = text!("postgres/searched");

/// Two who bring a schema up to date at once go one after the other.
const LOCK: &str = "select pg_advisory_xact_lock(4827119605)";

pub(crate) async fn up_sqlite(pool: &SqlitePool) -> Result<(), StoreError> {
    SQLITE.run(pool).await.map_err(failed)
}

/// That the schema is the one this program knows: neither behind nor ahead.
pub(crate) async fn check_sqlite(pool: &SqlitePool) -> Result<(), StoreError> {
    let applied: Vec<(i64,)> = sqlx::query_as(APPLIED.sqlite).fetch_all(pool).await?;
    same(&SQLITE, &applied)
}

/// Brings the schema up to date, all of it or nothing. A role that may not change it is not asked to when there is nothing
/// to change.
pub(crate) async fn up_postgres(server: &Server) -> Result<(), StoreError> {
    let mut connection = server.connect().await?;
    let applied = applied(&mut connection).await?;
    if same(&POSTGRES, &applied).is_err() {
        migrate(&mut connection).await?;
    }
    search_ours(&mut connection).await?;
    connection.close().await.map_err(StoreError::from)
}

/// As [`check_sqlite`].
pub(crate) async fn check_postgres(server: &Server) -> Result<(), StoreError> {
    let mut connection = server.connect().await?;
    let applied = applied(&mut connection).await?;
    if applied.is_empty() {
        return Err(StoreError::Missing { what: server.to_string() });
    }
    same(&POSTGRES, &applied)?;
    connection.close().await.map_err(StoreError::from)
}

async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    let mut tx = connection.begin().await?;
    tx.execute(LOCK).await?;
    tx.execute("create schema if not exists afluente").await?;
    tx.execute("set local search_path = afluente").await?;
    POSTGRES.run_direct(None, &mut *tx, false).await.map_err(failed)?;
    tx.commit().await.map_err(StoreError::from)
}

/// Lets this role find our schema, unless it is the role of another application: whatever that creates would land with us.
async fn search_ours(connection: &mut PgConnection) -> Result<(), StoreError> {
    let searched: Option<String> = sqlx::query_scalar(SEARCHED.postgres).fetch_one(&mut *connection).await?;
    if searched.as_deref() == Some("afluente") {
        return Ok(());
    }
    let shared: bool = sqlx::query_scalar(OWNED_ELSEWHERE.postgres).fetch_one(&mut *connection).await?;
    if shared {
        return Err(StoreError::Migration(
            "this role owns tables of another application; give Afluente a role of its own: \
             create role afluente login password '…'; grant create on database … to afluente"
                .to_owned(),
        ));
    }
    sqlx::raw_sql(SEARCH_OURS.postgres).execute(connection).await?;
    Ok(())
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<(i64,)>, StoreError> {
    let migrated: bool = sqlx::query_scalar(MIGRATED_THERE.postgres).fetch_one(&mut *connection).await?;
    if !migrated {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_as(APPLIED_THERE.postgres).fetch_all(connection).await?)
}

fn same(migrator: &Migrator, applied: &[(i64,)]) -> Result<(), StoreError> {
    let applied: Vec<i64> = applied.iter().map(|(version,)| *version).collect();
    let known = known(migrator);
    if applied == known {
        Ok(())
    } else {
        Err(StoreError::Migration(format!("expected migrations {known:?}, found {applied:?}")))
    }
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
