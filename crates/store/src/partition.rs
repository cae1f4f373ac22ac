//! Partitions of receipts and events on Postgres: made ahead and watched.

use sqlx::FromRow;

use crate::backend::{Pool, Store, fetch};
use crate::error::StoreError;
use crate::rows::{Statement, text};

static MAKE: Statement = text!("postgres/make_partitions");
static STRAY: Statement = text!("postgres/stray_rows");
static LIST: Statement = text!("postgres/partitions");

/// What keeping the partitions found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Partitions that were missing and are there now.
    pub made: i64,
    /// Rows in the default partitions, counted up to 1,000 each: their ids lie in no week anybody made, so a clock is wrong.
    pub stray: i64,
}

/// A partition of receipts or events.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Partition {
    /// Of which table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// How many rows the server believes it has.
    pub rows: i64,
    /// How many bytes it takes, with its indexes.
    pub bytes: i64,
    /// Whether it takes what belongs into no other.
    pub is_default: bool,
}

impl Store {
    /// Makes the partitions of the coming weeks and looks whether anything fell beside them. Nothing to do on SQLite, which
    /// has none. To be called often: it does nothing when nothing is missing.
    pub async fn keep_partitions(&self) -> Result<Upkeep, StoreError> {
        if let Pool::Sqlite(_) = self.pool() {
            return Ok(Upkeep::default());
        }
        let mut tx = self.begin().await?;
        let made = tx.ask(&MAKE).await?;
        tx.commit().await?;
        Ok(Upkeep { made, stray: self.stray_rows().await? })
    }

    /// Rows in the default partitions, counted up to 1,000 each.
    pub async fn stray_rows(&self) -> Result<i64, StoreError> {
        if let Pool::Sqlite(_) = self.pool() {
            return Ok(0);
        }
        let (stray,) = fetch!(self, fetch_one, STRAY)?;
        Ok(stray)
    }

    /// Every partition, oldest first; none on SQLite.
    pub async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        match self.pool() {
            Pool::Sqlite(_) => Ok(Vec::new()),
            Pool::Postgres(_) => fetch!(self, fetch_all, LIST),
        }
    }
}
