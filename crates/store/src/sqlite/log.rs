//! The write-ahead log of a ledger that is written: on the disk before it is trusted, moved into the file by us alone.
//!
//! SQLite takes what it reads in a log for committed, whether a sync of it failed or not; and it counts pages as moved into the
//! file before the file is synced, and says nothing of an error while it moves them by itself.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use afluente_wal::Seen;
use sqlx::SqliteConnection;
use sqlx::error::DatabaseError;
use sqlx::sqlite::SqlitePool;

use crate::error::StoreError;

/// How often a log that looks damaged is looked at, in case somebody writes it.
const LOOKS: usize = 3;
/// How long between.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// SQLite's result code of a sync that failed.
const SYNC_FAILED: &str = "1034";

/// The log beside a ledger's file.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    /// The log is moved into the file once it is longer, bytes.
    limit: u64,
    /// What it holds may be on no disk.
    is_new: AtomicBool,
    /// Why syncing the file failed once it was moved there.
    doubt: OnceLock<String>,
}

impl Log {
    /// The log of this file, not yet trusted.
    pub(super) fn of(file: &Path, limit: u64) -> Log {
        let path = afluente_wal::beside(file);
        Log { path, limit, is_new: AtomicBool::new(true), doubt: OnceLock::new() }
    }

    /// That no durable commit in it is damaged: SQLite would go on without it and say nothing. To be asked before SQLite opens it.
    pub(super) async fn look(&self) -> Result<(), StoreError> {
        let mut last = None;
        for _ in 0..LOOKS {
            let seen = afluente_wal::look(&self.path)
                .map_err(|error| StoreError::Open { what: self.shown(), reason: error.to_string() })?;
            let Seen::Damaged { offset, commits } = seen else { return Ok(()) };
            if last.replace(seen).is_some_and(|last| last == seen) {
                return Err(StoreError::DamagedLog { log: self.shown(), offset, commits });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// A commit failed: whoever opens the file next may read in the log what is on no disk.
    pub(crate) fn distrust(&self) {
        self.is_new.store(true, Ordering::Relaxed);
    }

    /// Writes what is in the log once more and syncs it, unless that was done. Nobody writes to it meanwhile.
    pub(super) async fn trust(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        if !self.is_new.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (mode,): (String,) = sqlx::query_as("pragma journal_mode").fetch_one(&mut *connection).await?;
        if mode != "wal" {
            // Without it a commit outlives no power cut.
            return Err(sqlx::Error::Configuration(format!("there is no write-ahead log but {mode:?}").into()));
        }
        sqlx::query("begin immediate").execute(&mut *connection).await?;
        let written = afluente_wal::write_again(&self.path);
        sqlx::query("rollback").execute(&mut *connection).await?;
        written?;
        self.is_new.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Moves the log into the file once it is long. What was committed stays committed if that fails, and the ledger is to be left
    /// open.
    pub(crate) async fn shorten(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        if std::fs::metadata(&self.path).is_ok_and(|log| log.len() > self.limit) {
            self.doubt_after(sqlx::query("pragma wal_checkpoint(passive)").execute(connection).await);
        }
        self.check()
    }

    /// Moves all of it into the file and closes the ledger, unless what the file holds is in doubt: then it stays open until the
    /// process ends, because closing it would delete the log.
    pub(super) async fn close(&self, pool: &SqlitePool) {
        if self.check().is_ok() {
            self.doubt_after(sqlx::query("pragma wal_checkpoint(truncate)").execute(pool).await);
        }
        match self.check() {
            Ok(()) => pool.close().await,
            Err(_) => std::mem::forget(pool.clone()),
        }
    }

    fn doubt_after<T>(&self, moved: sqlx::Result<T>) {
        if let Err(error) = moved
            && error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == SYNC_FAILED)
        {
            let _ = self.doubt.set(error.to_string());
        }
    }

    /// Whether the ledger may be written.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.doubt.get() {
            Some(reason) => Err(StoreError::Doubted { log: self.shown(), reason: reason.clone() }),
            None => Ok(()),
        }
    }
}
