//! The consume loop: take, handle, settle, and stand back while the ledger is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use afluente_queue::{Queue, QueueError, Received, SealKeys, Settlement};
use afluente_store::{DeadLetter, DeadReason, Store, StoreError};
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::account::Accounts;
use crate::batch::handle;
use crate::chain;
use crate::measure;
use crate::settle::{Next, RetryPolicy, jittered};

/// How a worker takes its work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// At most this many deliveries a transaction.
    pub batch_size: usize,
    /// How long to wait for a batch to fill once it has begun.
    pub linger: Duration,
    /// When to try again what failed for the moment.
    pub retry: RetryPolicy,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { batch_size: 256, linger: Duration::from_millis(2), retry: RetryPolicy::default() }
    }
}

/// What a worker needs.
#[derive(Clone)]
pub struct Worker {
    /// Where deliveries come from.
    pub queue: Queue,
    /// Where they go.
    pub store: Store,
    /// Opens their seals.
    pub keys: Arc<SealKeys>,
    /// Whose they are; replaced when the configuration changes.
    pub accounts: watch::Receiver<Arc<Accounts>>,
    /// How to take them.
    pub settings: Settings,
    /// Whether it lives, for readiness.
    pub pulse: Arc<Pulse>,
}

/// A worker's sign of life.
#[derive(Debug, Default)]
pub struct Pulse {
    running: AtomicBool,
    waiting_for_ledger: AtomicBool,
    handled: AtomicU64,
}

impl Pulse {
    /// Whether the loop runs.
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    /// Whether it stands back because the ledger cannot take batches.
    pub fn is_waiting_for_ledger(&self) -> bool {
        self.waiting_for_ledger.load(Ordering::Relaxed)
    }

    /// Deliveries handled since start.
    pub fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }
}

/// Works until the queue closes or `shutdown` ends. The batch in hand is finished; what is not settled comes back.
///
/// There is no count of failures after which it gives up: a worker that cannot write stands back with growing, jittered
/// waits and goes on by itself.
pub async fn run(worker: Worker, shutdown: impl Future<Output = ()>) -> Result<(), StoreError> {
    measure::describe();
    worker.save_accounts().await?;
    worker.pulse.running.store(true, Ordering::Relaxed);
    let mut waits = waits();
    let mut accounts = worker.accounts.clone();
    accounts.mark_unchanged();
    tokio::pin!(shutdown);
    loop {
        let taken = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Ok(()) = accounts.changed() => {
                worker.mirror_accounts().await;
                continue;
            }
            taken = worker.queue.take(worker.settings.batch_size, worker.settings.linger) => taken,
        };
        let failed = match taken {
            Ok(batch) => worker.work(batch).await,
            Err(QueueError::Closed) => break,
            Err(error) => {
                error!(error = %chain(&error), "Cannot take from the queue");
                true
            }
        };
        if !failed {
            waits = self::waits();
            continue;
        }
        tokio::select! {
            () = &mut shutdown => break,
            () = worker.stand_back(&mut waits) => {}
        }
    }
    worker.pulse.running.store(false, Ordering::Relaxed);
    info!(handled = worker.pulse.handled(), "Worker stopped");
    Ok(())
}

/// The longest the worker stands back at once.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

fn waits() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST_WAIT)
        .with_jitter()
        .without_max_times()
        .build()
}

impl Worker {
    /// Waits at least once, and until the ledger takes a transaction again: nothing more is taken off the queue that
    /// could only go back to it.
    async fn stand_back(&self, waits: &mut impl Iterator<Item = Duration>) {
        self.pulse.waiting_for_ledger.store(true, Ordering::Relaxed);
        loop {
            tokio::time::sleep(waits.next().unwrap_or(LONGEST_WAIT)).await;
            let probe = async { self.store.begin().await?.rollback().await };
            match probe.await {
                Ok(()) => break,
                Err(error) => warn!(error = %chain(&error), "The ledger is still away"),
            }
        }
        self.pulse.waiting_for_ledger.store(false, Ordering::Relaxed);
    }

    /// Handles and settles one batch; says whether something failed for the moment.
    async fn work(&self, batch: Vec<Received>) -> bool {
        let accounts = self.accounts.borrow().clone();
        let verdicts = handle(&self.store, &batch, &accounts, &self.keys).await;
        let failed = verdicts.iter().any(Result::is_err);
        let mut settled = Vec::with_capacity(batch.len());
        for (message, verdict) in batch.into_iter().zip(verdicts) {
            let settlement = match &verdict {
                Ok(_) => Settlement::Ack,
                Err(error) => self.retry_or_bury(&message, error).await,
            };
            settled.push((message, settlement));
        }
        let done = settled.iter().filter(|(_, settlement)| *settlement == Settlement::Ack).count();
        self.pulse.handled.fetch_add(done as u64, Ordering::Relaxed);
        if let Err(error) = self.queue.settle(settled).await {
            // What was committed and not acknowledged comes again and changes nothing.
            warn!(error = %chain(&error), "Could not settle a batch; its messages come back");
            return true;
        }
        failed
    }

    async fn retry_or_bury(&self, message: &Received, error: &StoreError) -> Settlement {
        let spread = u64::from(Uuid::now_v7().as_fields().1) ^ u64::from(message.attempt());
        match self.settings.retry.after(message.attempt()) {
            Next::Wait(wait) => jittered(wait, spread),
            Next::GiveUp => match self.bury(message, error).await {
                Ok(()) => Settlement::Ack,
                Err(_) => jittered(self.settings.retry.last(), spread),
            },
        }
    }

    /// Buries a message that was tried on every rung, sealed as it is.
    async fn bury(&self, message: &Received, error: &StoreError) -> Result<(), StoreError> {
        let now = crate::now();
        let letter = DeadLetter {
            id: Uuid::now_v7(),
            delivery_id: message.id(),
            gateway: message.gateway().slug(),
            account: None,
            reason: DeadReason::Exhausted,
            error: chain(error),
            attempts: message.attempt() + 1,
            first_seen_at: now,
            head: message.head().clone(),
            body: message.body().clone(),
        };
        let mut tx = self.store.begin().await?;
        tx.bury(&[letter], now).await?;
        tx.commit().await?;
        measure::buried(message.gateway().slug(), DeadReason::Exhausted);
        Ok(())
    }

    async fn save_accounts(&self) -> Result<(), StoreError> {
        let rows = self.accounts.borrow().rows();
        let mut tx = self.store.begin().await?;
        tx.save_accounts(&rows, crate::now()).await?;
        tx.commit().await
    }

    /// After a reload. Deliveries of an account whose row is not there yet fail and come back, so a failure here heals.
    async fn mirror_accounts(&self) {
        if let Err(error) = self.save_accounts().await {
            error!(error = %chain(&error), "Could not write the accounts of the new configuration");
        }
    }
}
