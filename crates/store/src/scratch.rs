//! A database for a while, on somebody's server.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use crate::error::StoreError;
use crate::postgres::Server;

/// An empty database, made to be measured on and removed again.
#[derive(Clone, Debug)]
pub struct Scratch {
    host: Server,
    name: String,
    server: Server,
}

impl Scratch {
    /// Makes one on the server of this URL, whatever database the URL names. Takes the right to create databases.
    pub async fn make(host: &Server) -> Result<Scratch, StoreError> {
        let name = format!("afluente_scratch_{}", Uuid::now_v7().simple());
        let server = host.named(&name);
        let scratch = Scratch { host: host.clone(), name, server };
        scratch.run("create database").await?;
        Ok(scratch)
    }

    /// The database.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// What it is called: a name that needs no quotes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Removes it with all that is in it.
    pub async fn remove(self) -> Result<(), StoreError> {
        self.run("drop database").await
    }

    async fn run(&self, what: &str) -> Result<(), StoreError> {
        let mut connection: PgConnection = self.host.connect().await?;
        // A name of ours: letters, digits and underscores.
        let statement = AssertSqlSafe(format!("{what} {}", self.name));
        sqlx::raw_sql(statement).execute(&mut connection).await?;
        connection.close().await.map_err(StoreError::from)
    }
}
