//! A database of its own for a test.

use std::fmt::Display;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

/// Names the server, as `scripts/services env` prints it.
const VARIABLE: &str = "AFLUENTE_TEST_POSTGRES";

/// An empty database, gone with the value.
#[derive(Debug)]
pub struct Database {
    server: PgConnectOptions,
    name: String,
}

impl Database {
    /// Makes one.
    pub async fn create() -> Database {
        let Ok(url) = std::env::var(VARIABLE) else {
            panic!(
                "this test needs Postgres: scripts/services up, then eval \"$(scripts/services env)\" ({VARIABLE} is not set)"
            );
        };
        Database::create_on(&url).await
    }

    /// Makes one on a server of the test's own.
    pub async fn create_on(server: &str) -> Database {
        let server = PgConnectOptions::from_str(server).unwrap();
        let name = format!("test_{}", Uuid::now_v7().simple());
        let database = Database { server, name };
        database.on_the_server(format!("create database {}", database.name)).await;
        database
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        let server = &self.server;
        format!("postgres://{}@{}:{}/{}", server.get_username(), server.get_host(), server.get_port(), self.name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Connections to it, for what a test looks at beside the code it tests. Names of ours are found.
    pub async fn beside(&self) -> PgPool {
        let options = self.server.clone().database(&self.name).options([("search_path", "afluente")]);
        PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap()
    }

    /// Runs statements in it that need no answer.
    pub async fn run(&self, sql: impl Display) {
        let mut connection = PgConnection::connect_with(&self.server.clone().database(&self.name)).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_string())).execute(&mut connection).await.unwrap();
    }

    /// Runs statements about it from outside of it.
    pub async fn on_the_server(&self, sql: impl Display) {
        let mut connection = PgConnection::connect_with(&self.server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_string())).execute(&mut connection).await.unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // On a thread of its own: the test's runtime may be ending. A server that is gone took the database with it.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect_with(&server).await?;
                let drop = AssertSqlSafe(format!("drop database {name} with (force)"));
                sqlx::raw_sql(drop).execute(&mut connection).await
            })
        });
        let _ = dropped.join();
    }
}
