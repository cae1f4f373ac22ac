//! The accounts of the configuration, written to the ledger until they are there.

use std::sync::Arc;
use std::time::Duration;

use afluente_model::chain;
use afluente_store::{AccountRow, Class, Store, StoreError};
use tokio::time::Instant;
use tracing::{error, info};

use crate::pulse::Pulse;
use crate::run::waits;

/// When the accounts are written next.
pub(crate) struct Mirror {
    pulse: Arc<Pulse>,
    waits: Box<dyn Iterator<Item = Duration> + Send>,
    due: Option<Instant>,
}

impl Mirror {
    /// Due at once: nothing is mirrored yet.
    pub(crate) fn new(pulse: &Arc<Pulse>) -> Mirror {
        pulse.set_accounts_missing(true);
        Mirror { pulse: Arc::clone(pulse), waits: Box::new(waits()), due: Some(Instant::now()) }
    }

    /// The configuration changed, or a row was found missing.
    pub(crate) fn again(&mut self) {
        self.pulse.set_accounts_missing(true);
        self.due.get_or_insert_with(Instant::now);
    }

    /// Ends when the accounts are to be written; never while they are there.
    pub(crate) fn due(&self) -> impl Future<Output = ()> + use<> {
        let due = self.due;
        async move {
            match due {
                // A timer is not over at its first look, and what is due goes before any batch.
                Some(due) if due <= Instant::now() => {}
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Writes them. One the ledger refuses does not hold up the others; it is tried again with growing waits.
    pub(crate) async fn write(&mut self, store: &Store, rows: &[AccountRow]) {
        let written = match save(store, rows).await {
            Err(error) if error.class() != Class::Away => one_by_one(store, rows).await,
            other => other,
        };
        match written {
            Ok(()) => {
                info!(accounts = rows.len(), "The ledger knows the accounts");
                self.pulse.set_accounts_missing(false);
                self.due = None;
                self.waits = Box::new(waits());
            }
            Err(error) => {
                error!(error = %chain(&error), "Cannot write the accounts to the ledger; trying on");
                self.due = self.waits.next().map(|wait| Instant::now() + wait);
            }
        }
    }
}

async fn save(store: &Store, rows: &[AccountRow]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.save_accounts(rows, crate::now()).await?;
    tx.commit().await
}

async fn one_by_one(store: &Store, rows: &[AccountRow]) -> Result<(), StoreError> {
    let mut last = Ok(());
    for row in rows {
        if let Err(error) = save(store, std::slice::from_ref(row)).await {
            error!(account.id = %row.name, error = %chain(&error), "The ledger refuses an account; run `afluente check`");
            last = Err(error);
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn what_is_due_is_due_at_the_first_look_however_soon_a_batch_is_there() {
        let mut mirror = Mirror::new(&Arc::default());
        assert!(mirror.due().now_or_never().is_some(), "a batch that is there at once would miss its accounts");
        mirror.due = None;
        assert!(mirror.due().now_or_never().is_none());
        mirror.again();
        assert!(mirror.due().now_or_never().is_some());
    }
}
