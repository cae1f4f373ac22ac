//! Partitions of receipts and events on Postgres: made ahead and watched.

use afluente_model::Timestamp;
use sqlx::FromRow;

use crate::backend::{Pool, Store, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::rows::{Statement, rows, text};

static MAKE: Statement = text!("postgres/make_partitions");
static STRAY: Statement = text!("postgres/stray_rows");
static LIST: Statement = text!("postgres/partitions");

rows! {
    struct NameInput<'a> {
        name: text,
    }
    DROP = "postgres/drop_partition";
}

/// What keeping the partitions found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Partitions that were missing and are there now.
    pub made: i64,
    /// Rows in the default partitions, counted up to 1,000 each: their ids lie in no week anybody made, so a clock is wrong.
    pub stray: i64,
}

/// A partition of receipts or events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Of which table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// How many rows the server believes it has.
    pub rows: i64,
    /// How many bytes it takes, with its indexes.
    pub bytes: i64,
    /// Where its week or month ends, of its rows' ids; the default has no end.
    pub until: Option<Timestamp>,
}

#[derive(FromRow)]
struct Record {
    table: String,
    name: String,
    rows: i64,
    bytes: i64,
    until: Option<Moment>,
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

    /// Every partition, oldest first and the default last; none on SQLite.
    pub async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        let records: Vec<Record> = match self.pool() {
            Pool::Sqlite(_) => Vec::new(),
            Pool::Postgres(_) => fetch!(self, fetch_all, LIST)?,
        };
        records.into_iter().map(Partition::try_from).collect()
    }

    /// Drops a partition with everything in it. Anything but a partition of receipts or events, and the default ones, is
    /// refused. Writers wait while it goes; if they keep it waiting, it is not dropped.
    pub async fn drop_partition(&self, name: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.execute(&DROP, &[NameInput { name }]).await?;
        tx.commit().await
    }
}

impl TryFrom<Record> for Partition {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<Partition, StoreError> {
        let until = row.until.map(|at| at.read("pg_class", "relname")).transpose()?;
        Ok(Partition { table: row.table, name: row.name, rows: row.rows, bytes: row.bytes, until })
    }
}
