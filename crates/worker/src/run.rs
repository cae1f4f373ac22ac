//! The consume loop: take, handle, settle, and stand back while the ledger is away.

use std::sync::Arc;
use std::time::Duration;

use afluente_model::chain;
use afluente_queue::{Queue, QueueError, Received, SealKeys, Settlement};
use afluente_store::{DeadLetter, DeadReason, Store, StoreError};
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::account::Accounts;
use crate::batch::write_all;
use crate::measure;
use crate::mend::Mender;
use crate::mirror::Mirror;
use crate::outcome::Postponed;
use crate::pulse::Pulse;
use crate::settle::{Next, RetryPolicy, jittered, spread};
use crate::taken::Taken;

/// How a worker takes its work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// At most this many deliveries a transaction.
    pub batch_size: usize,
    /// How long to wait for a batch to fill once it has begun. Under load the transaction before fills it.
    pub linger: Duration,
    /// When to try again what failed for the moment.
    pub retry: RetryPolicy,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { batch_size: 256, linger: Duration::ZERO, retry: RetryPolicy::default() }
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

/// Works until `shutdown` ends, or the queue does, which is an error. The batch in hand is finished; what is not settled
/// comes back.
///
/// There is no count of failures after which it gives up: a worker that cannot write stands back with growing, jittered
/// waits and goes on by itself.
pub async fn run(worker: Worker, shutdown: impl Future<Output = ()>) -> Result<(), QueueError> {
    measure::describe();
    let mut mirror = Mirror::new(&worker.pulse);
    let mut mender = Mender::new();
    let mut pace = Pace::new();
    let mut accounts = worker.accounts.clone();
    accounts.mark_unchanged();
    let mut ahead = None;
    tokio::pin!(shutdown);
    loop {
        let most = if pace.careful { 1 } else { worker.settings.batch_size };
        let taken = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Ok(()) = accounts.changed() => {
                mirror.again();
                continue;
            }
            () = mirror.due() => {
                let rows = worker.accounts.borrow().rows();
                mirror.write(&worker.store, &rows).await;
                continue;
            }
            () = mender.due() => {
                mender.mend(&worker.store).await;
                continue;
            }
            taken = worker.next(&mut ahead, most) => taken,
        };
        let went = match taken {
            Ok(taken) if pace.careful => worker.work(taken, true).await,
            Ok(taken) => {
                let (went, read) = worker.work_and_read_ahead(taken).await;
                ahead = read.filter(|_| went.ledger_away.is_none());
                went
            }
            Err(QueueError::Closed) => return Err(QueueError::Closed),
            Err(error) => {
                error!(error = %chain(&error), "Cannot take from the queue");
                Went { queue_failed: true, ..Went::default() }
            }
        };
        if went.account_missing {
            mirror.again();
        }
        tokio::select! {
            () = &mut shutdown => break,
            () = worker.pause(&went, &mut pace) => {}
        }
    }
    info!(handled = worker.pulse.handled(), "Worker stopped");
    Ok(())
}

/// The longest the worker stands back at once: after an outage of hours it is back within seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Growing waits, for whatever is away.
pub(crate) fn waits() -> impl Iterator<Item = Duration> + Send {
    let waits = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST_WAIT)
        .with_jitter()
        .without_max_times()
        .build();
    waits.chain(std::iter::repeat(LONGEST_WAIT))
}

/// How a batch went, beyond its messages.
#[derive(Clone, Copy, Debug, Default)]
struct Went {
    /// The ledger was away; this many bytes wait for it.
    ledger_away: Option<usize>,
    /// The ledger has no row of some account.
    account_missing: bool,
    /// The queue could not hand out or settle.
    queue_failed: bool,
}

/// How fast the worker goes on.
struct Pace {
    waits: Box<dyn Iterator<Item = Duration> + Send>,
    /// After the ledger was away one delivery goes first: what failed may have been about the batch after all.
    careful: bool,
}

impl Pace {
    fn new() -> Pace {
        Pace { waits: Box::new(waits()), careful: false }
    }

    fn next_wait(&mut self) -> Duration {
        self.waits.next().unwrap_or(LONGEST_WAIT)
    }
}

impl Worker {
    /// Goes on at once after a batch that went well; otherwise waits at least once, and until the ledger takes a commit
    /// again: nothing more is taken off the queue that could only go back to it.
    async fn pause(&self, went: &Went, pace: &mut Pace) {
        let Some(bytes) = went.ledger_away else {
            if went.queue_failed {
                tokio::time::sleep(pace.next_wait()).await;
            } else {
                *pace = Pace::new();
            }
            return;
        };
        self.pulse.set_waiting_for_ledger(true);
        pace.careful = true;
        loop {
            tokio::time::sleep(pace.next_wait()).await;
            match self.store.probe(bytes).await {
                Ok(()) => break,
                Err(error) => warn!(error = %chain(&error), "The ledger is still away"),
            }
        }
        info!("The ledger takes commits again");
        self.pulse.set_waiting_for_ledger(false);
    }

    /// Works on what was taken and settles it, as one turn of [`run`] does: for whoever decides himself when that is.
    pub async fn turn(&self, messages: Vec<Received>) {
        let taken = self.read(messages).await;
        self.work(taken, false).await;
    }

    /// What was read ahead, or else what comes.
    async fn next(&self, ahead: &mut Option<Taken>, most: usize) -> Result<Taken, QueueError> {
        match ahead.take() {
            Some(taken) => Ok(taken),
            None => Ok(self.read(self.queue.take(most, self.settings.linger).await?).await),
        }
    }

    async fn read(&self, messages: Vec<Received>) -> Taken {
        let accounts = self.accounts.borrow().clone();
        Taken::read(messages, &accounts, &self.keys).await
    }

    /// Works on a batch, and where another full one waits by then, takes and reads that meanwhile. Only a full one: what
    /// other workers could take at once is theirs.
    async fn work_and_read_ahead(&self, taken: Taken) -> (Went, Option<Taken>) {
        let most = self.settings.batch_size;
        let work = self.work(taken, false);
        tokio::pin!(work);
        tokio::select! {
            biased;
            went = &mut work => return (went, None),
            Ok(()) = self.queue.ready(most) => {}
        }
        let read = async {
            // Whatever is wrong with the queue, the next look at it says so.
            let messages = self.queue.take_ready(most).await.unwrap_or_default();
            self.read(messages).await
        };
        let (went, read) = tokio::join!(work, read);
        (went, Some(read).filter(|read| !read.is_empty()))
    }

    /// Settles one batch when it is written. `careful` says that it is a single delivery and the ledger took a commit of its
    /// size a moment ago: then a ledger that is away all the same costs this delivery a try, or it would be first in line
    /// for ever.
    async fn work(&self, taken: Taken, careful: bool) -> Went {
        let (messages, prepared) = taken.into_parts();
        let verdicts = write_all(&self.store, prepared).await;
        let (mut went, mut released) = (Went::default(), Vec::new());
        let mut settled = Vec::with_capacity(messages.len());
        for (message, verdict) in messages.into_iter().zip(verdicts) {
            match verdict {
                Ok(_) => settled.push((message, Settlement::Ack)),
                Err(Postponed::LedgerAway(error)) => {
                    *went.ledger_away.get_or_insert(0) += message.body().len() + message.head().len();
                    if careful {
                        let settlement = self.retry_or_bury(&message, &error).await;
                        settled.push((message, settlement));
                    } else {
                        released.push(message);
                    }
                }
                Err(Postponed::AccountMissing(_)) => {
                    went.account_missing = true;
                    let again = jittered(self.settings.retry.account_missing, spread(message.id(), message.attempt()));
                    settled.push((message, again));
                }
                Err(Postponed::Contended(_)) => {
                    let again = jittered(self.settings.retry.contended, spread(message.id(), message.attempt()));
                    settled.push((message, again));
                }
                Err(Postponed::Failed(error)) => {
                    let settlement = self.retry_or_bury(&message, &error).await;
                    settled.push((message, settlement));
                }
                Err(Postponed::ShuttingDown) => released.push(message),
            }
        }
        went.queue_failed = !self.settle(settled).await;
        released.into_iter().for_each(Received::release);
        went
    }

    /// Whether all were settled. What was committed and not acknowledged comes again and changes nothing.
    async fn settle(&self, settled: Vec<(Received, Settlement)>) -> bool {
        let acks: Vec<bool> = settled.iter().map(|(_, settlement)| *settlement == Settlement::Ack).collect();
        let answers = self.queue.settle(settled).await;
        self.pulse.add_handled(answers.iter().zip(acks).filter(|(answer, ack)| answer.is_ok() && *ack).count());
        let mut failed = answers.iter().filter_map(|answer| answer.as_ref().err());
        let Some(error) = failed.next() else { return true };
        warn!(messages = 1 + failed.count(), error = %chain(error), "Could not settle messages; they come back");
        false
    }

    async fn retry_or_bury(&self, message: &Received, error: &StoreError) -> Settlement {
        match self.settings.retry.after(message.attempt()) {
            Next::Wait(wait) => jittered(wait, spread(message.id(), message.attempt())),
            Next::GiveUp => match self.bury(message, error).await {
                Ok(()) => Settlement::Ack,
                Err(_) => jittered(self.settings.retry.last(), spread(message.id(), message.attempt())),
            },
        }
    }

    /// Buries a message that was tried on every rung, sealed as it is.
    async fn bury(&self, message: &Received, error: &StoreError) -> Result<(), StoreError> {
        let now = crate::now();
        let opened = self.keys.open(message.head(), message.body().clone()).ok();
        let letter = DeadLetter {
            id: Uuid::now_v7(),
            delivery_id: message.id(),
            gateway: message.gateway().slug(),
            account: opened.as_ref().map(|delivery| delivery.account.as_str().into()),
            reason: DeadReason::Exhausted,
            error: chain(error),
            attempts: message.attempt() + 1,
            first_seen_at: opened.map_or(now, |delivery| delivery.received_at),
            head: message.head().clone(),
            body: message.body().clone(),
        };
        let mut tx = self.store.begin().await?;
        tx.bury(&[letter], now).await?;
        tx.commit().await?;
        measure::buried(message.gateway().slug(), DeadReason::Exhausted);
        error!(delivery.id = %message.id(), error = %chain(error), "Buried a delivery that was tried on every rung");
        Ok(())
    }
}
