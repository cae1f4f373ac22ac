//! The story of a batch: prepare, write in one transaction, split where one delivery spoils it, settle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_gateways::IgnoredBecause;
use afluente_queue::{Received, SealKeys};
use afluente_store::{DeadReason, Store, StoreError};
use tracing::{error, info, warn};

use crate::account::Accounts;
use crate::apply::apply;
use crate::chain;
use crate::measure;
use crate::prepare::{Good, Prepared, prepare_all};

/// How handling a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its facts, claims and wants are in the ledger.
    Applied,
    /// Kept as a receipt, changed nothing.
    Ignored(IgnoredBecause),
    /// The same event with the same bytes was there before.
    Repeated,
    /// In the dead letters.
    Buried(DeadReason),
}

impl Outcome {
    /// A word for metrics and logs, from a closed set.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Ignored(_) => "ignored",
            Outcome::Repeated => "repeated",
            Outcome::Buried(_) => "buried",
        }
    }
}

/// Handles a batch: for each message what became of it, or the error that may pass.
///
/// What is `Ok` is committed and must be acknowledged; doing the same batch again ends the same, with
/// [`Outcome::Repeated`] where it was [`Outcome::Applied`].
pub async fn handle(
    store: &Store,
    batch: &[Received],
    accounts: &Arc<Accounts>,
    keys: &Arc<SealKeys>,
) -> Vec<Result<Outcome, Arc<StoreError>>> {
    measure::batch(batch.len());
    let prepared = prepare_all(batch, accounts, keys).await;
    let results = write(store, prepared, batch.len()).await;
    results.into_iter().map(|one| one.unwrap_or_else(|| Err(shutting_down()))).collect()
}

/// Preparing was cut off by the end of the process; the message comes back.
fn shutting_down() -> Arc<StoreError> {
    Arc::new(StoreError::Migration("the worker is shutting down".to_owned()))
}

type Verdict = Option<Result<Outcome, Arc<StoreError>>>;

/// Writes what it can in as few transactions as it can. A part that fails for good is halved until the one at fault
/// stands alone and is buried; a part that fails for the moment is left for later.
async fn write(store: &Store, mut prepared: Vec<Prepared>, size: usize) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = (0..size).map(|_| None).collect();
    let mut parts = vec![(0, prepared.len())];
    while let Some((from, to)) = parts.pop().filter(|(from, to)| from < to) {
        let part: Vec<&Prepared> = prepared[from..to].iter().collect();
        let started = Instant::now();
        match apply(store, &part, crate::now()).await {
            Ok(outcomes) => {
                committed(&part, &outcomes, started.elapsed());
                for (verdict, outcome) in verdicts[from..to].iter_mut().zip(outcomes) {
                    *verdict = Some(Ok(outcome));
                }
            }
            Err(error) if error.is_transient() => {
                measure::failed(true);
                warn!(batch.size = to - from, error = %chain(&error), "The ledger cannot take the batch now");
                let error = Arc::new(error);
                verdicts[from..to].iter_mut().for_each(|verdict| *verdict = Some(Err(Arc::clone(&error))));
            }
            Err(error) if to - from == 1 => match refused(&prepared[from], &error) {
                Some(letter) => {
                    prepared[from] = letter;
                    parts.push((from, to));
                }
                None => verdicts[from] = Some(Err(Arc::new(error))),
            },
            Err(error) => {
                measure::failed(false);
                warn!(batch.size = to - from, error = %chain(&error), "The batch failed for good; isolating the delivery at fault");
                let middle = from.midpoint(to);
                parts.extend([(middle, to), (from, middle)]);
            }
        }
    }
    verdicts
}

/// The delivery at fault as a dead letter; `None` if it is one already, and even that is refused.
fn refused(prepared: &Prepared, error: &StoreError) -> Option<Prepared> {
    measure::failed(false);
    match prepared {
        Prepared::Good(good) => {
            error!(
                gateway = good.delivery.gateway.slug(),
                account.id = %good.delivery.account,
                delivery.id = %good.delivery.id,
                error = %chain(error),
                "The ledger refused a delivery; it goes to the dead letters"
            );
            Some(Prepared::Dead(Box::new(good.bury(DeadReason::Refused, chain(error)))))
        }
        Prepared::Dead(letter) => {
            error!(delivery.id = %letter.delivery_id, error = %chain(error), "The ledger refused a dead letter");
            None
        }
    }
}

fn committed(part: &[&Prepared], outcomes: &[Outcome], took: Duration) {
    let now = crate::now();
    measure::committed(took);
    for (prepared, outcome) in part.iter().zip(outcomes) {
        match prepared {
            Prepared::Good(good) => told(good, *outcome, now),
            Prepared::Dead(letter) => {
                measure::buried(letter.gateway, letter.reason);
                warn!(
                    gateway = letter.gateway,
                    delivery.id = %letter.delivery_id,
                    reason = letter.reason.as_str(),
                    attempt = letter.attempts,
                    error = %letter.error,
                    "Buried a delivery"
                );
            }
        }
    }
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(batch.size = part.len(), duration_ms, "Committed a batch");
}

fn told(good: &Good, outcome: Outcome, now: afluente_model::Timestamp) {
    let gateway = good.delivery.gateway;
    measure::outcome(gateway, outcome);
    measure::lag(gateway, good.delivery.received_at, now);
    if outcome == Outcome::Applied {
        good.reading.unmapped.iter().for_each(|word| measure::unknown_word(gateway, word));
    }
    if let Outcome::Ignored(because) = outcome
        && because.is_alarm()
    {
        warn!(
            gateway = gateway.slug(),
            account.id = %good.delivery.account,
            event.id = good.reading.event.as_deref().unwrap_or("-"),
            outcome = because.as_str(),
            "Ignored a delivery that names another account or mode"
        );
    }
    tracing::debug!(
        gateway = gateway.slug(),
        account.id = %good.delivery.account,
        event.id = good.reading.event.as_deref().unwrap_or("-"),
        outcome = outcome.word(),
        attempt = good.attempt,
        body_bytes = good.delivery.body.len(),
        "Handled a delivery"
    );
    if good.delivery.released_by.is_some() {
        info!(delivery.id = %good.delivery.id, "A parked delivery was released");
    }
}
