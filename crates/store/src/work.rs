//! What units of work cost, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::backend::{Pool, Store, fetch};
use crate::error::StoreError;
use crate::rows::{Statement, text};

static WAL: Statement = text!("postgres/wal_position");

/// Counts of a store and all its clones.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    statements: AtomicU64,
    commits: AtomicU64,
}

impl Counted {
    pub(crate) fn statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// A transaction ended, which is a statement too.
    pub(crate) fn commit(&self) {
        self.statement();
        self.commits.fetch_add(1, Ordering::Relaxed);
    }
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Statements of units of work, begin and commit among them.
    pub statements: u64,
    /// Units of work that ended in order.
    pub commits: u64,
    /// Bytes of the server's write-ahead log, whoever wrote them; not known of a file.
    pub wal_bytes: Option<u64>,
}

impl Work {
    /// What came since an earlier look.
    #[must_use]
    pub fn since(self, before: Work) -> Work {
        Work {
            statements: self.statements - before.statements,
            commits: self.commits - before.commits,
            wal_bytes: self.wal_bytes.zip(before.wal_bytes).map(|(now, then)| now.saturating_sub(then)),
        }
    }
}

impl Store {
    /// What this store has done so far.
    pub async fn work(&self) -> Result<Work, StoreError> {
        let wal_bytes = match self.pool() {
            Pool::Sqlite(_) => None,
            Pool::Postgres(_) => {
                let (position,): (i64,) = fetch!(self, fetch_one, WAL)?;
                u64::try_from(position).ok()
            }
        };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ok(Work { statements: count(&self.counted.statements), commits: count(&self.counted.commits), wal_bytes })
    }
}
