//! A worker's signs of life.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use metrics::gauge;

use crate::measure;

/// What readiness asks a worker.
#[derive(Debug)]
pub struct Pulse {
    waiting_for_ledger: AtomicBool,
    accounts_missing: AtomicBool,
    handled: AtomicU64,
}

impl Default for Pulse {
    /// Before its first breath: the accounts are not written yet.
    fn default() -> Pulse {
        Pulse {
            waiting_for_ledger: AtomicBool::new(false),
            accounts_missing: AtomicBool::new(true),
            handled: AtomicU64::new(0),
        }
    }
}

impl Pulse {
    /// Whether it stands back because the ledger cannot take batches.
    pub fn is_waiting_for_ledger(&self) -> bool {
        self.waiting_for_ledger.load(Ordering::Relaxed)
    }

    /// Whether the ledger lacks rows of accounts; deliveries of those wait.
    pub fn are_accounts_missing(&self) -> bool {
        self.accounts_missing.load(Ordering::Relaxed)
    }

    /// Deliveries handled since start.
    pub fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }

    pub(crate) fn set_waiting_for_ledger(&self, waiting: bool) {
        self.waiting_for_ledger.store(waiting, Ordering::Relaxed);
        gauge!("afluente_worker_waiting_for_ledger").set(f64::from(u8::from(waiting)));
    }

    pub(crate) fn set_accounts_missing(&self, missing: bool) {
        self.accounts_missing.store(missing, Ordering::Relaxed);
        gauge!("afluente_worker_accounts_missing").set(f64::from(u8::from(missing)));
    }

    pub(crate) fn add_handled(&self, count: usize) {
        self.handled.fetch_add(count as u64, Ordering::Relaxed);
        measure::acknowledged().increment(count as u64);
    }
}
