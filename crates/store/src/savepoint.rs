//! A part of a unit of work that may fail without taking the rest with it.

use sqlx::{Executor, Postgres, Sqlite};

use crate::backend::Tx;
use crate::error::StoreError;
use crate::postgres;
use crate::tx::Connection;

/// One level is all anybody needs: parts follow each other and are never nested.
const BEGIN: &str = "savepoint part";
const RELEASE: &str = "release savepoint part";
const BACK: [&str; 2] = ["rollback to savepoint part", RELEASE];

impl Tx {
    /// Begins a part: what follows until [`Tx::end_part`] is kept whole or not at all.
    pub async fn begin_part(&mut self) -> Result<(), StoreError> {
        self.control(BEGIN).await
    }

    /// Ends it with what came of it. A part that went well stays. One that failed is taken back, and its error is the inner one:
    /// the unit of work goes on as if the part had never begun.
    ///
    /// The outer error says that there is nothing to go on with: SQLite ends the whole transaction by itself where a disk is full
    /// or fails, and a connection may be gone. Only asking the database to go back tells.
    pub async fn end_part<T>(&mut self, done: Result<T, StoreError>) -> Result<Result<T, StoreError>, StoreError> {
        // A failure that somebody swallowed on the way is a failure still.
        let done = if self.failed { done.and(Err(StoreError::Over)) } else { done };
        let Err(error) = done else {
            self.control(RELEASE).await?;
            return Ok(done);
        };
        self.failed = false;
        for statement in BACK {
            if self.control(statement).await.is_err() {
                return Err(error);
            }
        }
        Ok(Err(error))
    }

    async fn control(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.store.counted.statement();
        let deadline = self.deadline;
        let done = match self.connection()? {
            Connection::Sqlite(connection) => {
                let connection: &mut <Sqlite as sqlx::Database>::Connection = connection;
                connection.execute(statement).await.map(drop).map_err(StoreError::from)
            }
            Connection::Postgres(connection) => {
                let connection: &mut <Postgres as sqlx::Database>::Connection = connection;
                postgres::in_time(deadline, connection.execute(statement)).await.map(drop)
            }
        };
        self.outcome(done)
    }
}
