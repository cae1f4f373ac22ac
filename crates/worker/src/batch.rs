//! The story of a batch: prepare, write in one transaction, split where one delivery spoils it, settle.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_model::chain;
use afluente_queue::{Received, SealKeys};
use afluente_store::{Class, DeadReason, Store, StoreError};
use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tracing::{debug, error, info, warn};

use crate::account::Accounts;
use crate::apply::apply;
use crate::measure;
use crate::outcome::{Outcome, Postponed};
use crate::prepare::{Good, Prepared, prepare_all};

/// Handles a batch: for each message, in its order, what became of it or why it has to come back.
///
/// What is `Ok` is committed and must be acknowledged; doing the same batch again ends the same, with
/// [`Outcome::Repeated`] where it was [`Outcome::Applied`].
pub async fn handle(
    store: &Store,
    batch: &[Received],
    accounts: &Arc<Accounts>,
    keys: &Arc<SealKeys>,
) -> Vec<Result<Outcome, Postponed>> {
    write_all(store, prepare_all(batch, accounts, keys).await).await
}

/// The same for what is read already.
pub(crate) async fn write_all(store: &Store, prepared: Vec<Option<Prepared>>) -> Vec<Result<Outcome, Postponed>> {
    measure::batch(prepared.len());
    // What is not read, or not reached, comes back.
    let mut verdicts: Vec<Verdict> = vec![Err(Postponed::ShuttingDown); prepared.len()];
    let read = prepared.into_iter().enumerate();
    let mut slots: Vec<Slot> =
        read.filter_map(|(index, prepared)| prepared.map(|prepared| Slot { index, prepared })).collect();
    let store = store.clone();
    let transaction: Transaction = Box::new(move |part| {
        let store = store.clone();
        async move { commit(&store, part).await }.boxed()
    });
    write(&mut slots, &mut verdicts, &transaction).await;
    verdicts
}

/// Writes a part and commits it: all of it or nothing.
async fn commit(store: &Store, part: &[&Prepared]) -> Result<Vec<Outcome>, StoreError> {
    let mut tx = store.begin().await?;
    let outcomes = apply(&mut tx, part, crate::now()).await?;
    tx.commit().await?;
    Ok(outcomes)
}

type Verdict = Result<Outcome, Postponed>;

/// Writes a part of a batch in one transaction; one outcome for each, in the same order.
type Transaction =
    Box<dyn for<'a> Fn(&'a [&'a Prepared]) -> BoxFuture<'a, Result<Vec<Outcome>, StoreError>> + Send + Sync>;

/// A prepared delivery and its place in the batch.
struct Slot {
    index: usize,
    prepared: Prepared,
}

/// Why a part of a batch was not written.
enum Trouble {
    Ledger(StoreError),
    Panicked,
}

/// How often a part whose transaction met another goes again as it is: whoever was in the way has mostly committed by then.
/// After that it is halved, since somebody may hold one row for long.
const CONTENDED_TRIES: usize = 3;

/// A moment of its own before it does, or the two would meet again.
fn contended_wait(tries: usize) -> Duration {
    let longest = Duration::from_millis(100);
    let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(10)).with_max_delay(longest);
    waits.with_jitter().build().nth(tries).unwrap_or(longest)
}

/// Writes what it can in as few transactions as it can. A part that fails because of what is in it is halved until the
/// one at fault stands alone; a part that fails because the ledger is away is left for later as it is.
async fn write(slots: &mut [Slot], verdicts: &mut [Verdict], transaction: &Transaction) {
    let mut parts = vec![(0, slots.len(), 0)];
    while let Some((from, to, tries)) = parts.pop() {
        if from == to {
            continue;
        }
        let part = &mut slots[from..to];
        let started = Instant::now();
        match attempt(transaction, part).await {
            Ok(outcomes) => {
                committed(part, &outcomes, started.elapsed());
                for (slot, outcome) in part.iter().zip(outcomes) {
                    verdicts[slot.index] = Ok(outcome);
                }
            }
            Err(Trouble::Ledger(error)) if error.class() == Class::Away => {
                measure::failed(Class::Away);
                warn!(batch.size = part.len(), error = %chain(&error), "The ledger cannot take the batch now");
                let error = Arc::new(error);
                for slot in part {
                    verdicts[slot.index] = Err(Postponed::LedgerAway(Arc::clone(&error)));
                }
            }
            Err(Trouble::Ledger(error)) if error.class() == Class::Contended && tries < CONTENDED_TRIES => {
                measure::failed(Class::Contended);
                debug!(batch.size = part.len(), error = %chain(&error), "Another transaction was in the way; once more");
                tokio::time::sleep(contended_wait(tries)).await;
                parts.push((from, to, tries + 1));
            }
            Err(trouble) => {
                if let [slot] = part {
                    match alone(slot, trouble) {
                        None => parts.push((from, to, 0)),
                        Some(postponed) => verdicts[slot.index] = Err(postponed),
                    }
                } else {
                    tell(&trouble, part.len());
                    let middle = from.midpoint(to);
                    parts.extend([(middle, to, tries), (from, middle, tries)]);
                }
            }
        }
    }
}

/// One transaction. A panic in it takes back what it wrote, as any error does.
async fn attempt(transaction: &Transaction, part: &[Slot]) -> Result<Vec<Outcome>, Trouble> {
    let part: Vec<&Prepared> = part.iter().map(|slot| &slot.prepared).collect();
    match AssertUnwindSafe(transaction(&part)).catch_unwind().await {
        Ok(applied) => applied.map_err(Trouble::Ledger),
        Err(_) => Err(Trouble::Panicked),
    }
}

fn tell(trouble: &Trouble, size: usize) {
    match trouble {
        Trouble::Ledger(error) => {
            measure::failed(error.class());
            warn!(batch.size = size, error = %chain(error), "A batch failed; isolating the delivery at fault");
        }
        Trouble::Panicked => {
            measure::panicked();
            error!(batch.size = size, "Writing a batch panicked; isolating the delivery at fault");
        }
    }
}

/// What becomes of the one at fault: a dead letter in its place, to be written next, or why it comes back.
fn alone(slot: &mut Slot, trouble: Trouble) -> Option<Postponed> {
    tell(&trouble, 1);
    let error = match trouble {
        Trouble::Panicked => return bury(slot, DeadReason::Panicked, "writing the delivery panicked", None),
        Trouble::Ledger(error) => error,
    };
    match error.class() {
        Class::Refused => {
            let text = chain(&error);
            bury(slot, DeadReason::Refused, &text, Some(error))
        }
        Class::Away => Some(Postponed::LedgerAway(Arc::new(error))),
        Class::Contended => Some(Postponed::Contended(Arc::new(error))),
        Class::Unsettled => Some(match error {
            StoreError::Orphaned { .. } => Postponed::AccountMissing(Arc::new(error)),
            other => Postponed::Failed(Arc::new(other)),
        }),
    }
}

/// Puts a dead letter in the delivery's place. One that is a dead letter already and cannot be written comes back; an answer
/// is asked for again.
fn bury(slot: &mut Slot, reason: DeadReason, text: &str, error: Option<StoreError>) -> Option<Postponed> {
    let failed = |error: Option<StoreError>| Some(Postponed::Failed(Arc::new(error.unwrap_or(StoreError::Over))));
    let good = match &slot.prepared {
        Prepared::Good(good) => good,
        Prepared::Dead(letter) => {
            error!(delivery.id = %letter.delivery_id, error = %text, "A dead letter cannot be written; its message comes back");
            return failed(error);
        }
    };
    let (gateway, account) = (good.receipt.incoming.gateway().slug(), good.receipt.incoming.account());
    let Some(letter) = good.bury(reason, text.to_owned()) else {
        error!(gateway, account.id = %account, error = %text, "An answer cannot be written; it is asked for again");
        return failed(error);
    };
    error!(
        gateway,
        account.id = %account,
        delivery.id = %letter.delivery_id,
        error = %text,
        "A delivery cannot be written; it goes to the dead letters"
    );
    slot.prepared = Prepared::Dead(Box::new(letter));
    None
}

fn committed(part: &[Slot], outcomes: &[Outcome], took: Duration) {
    let now = crate::now();
    measure::committed(took);
    for (slot, outcome) in part.iter().zip(outcomes) {
        match &slot.prepared {
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
    debug!(batch.size = part.len(), duration_ms, "Committed a batch");
}

fn told(good: &Good, outcome: Outcome, now: afluente_model::Timestamp) {
    let incoming = &good.receipt.incoming;
    let gateway = incoming.gateway();
    measure::outcome(gateway, outcome);
    measure::lag(gateway, incoming.received_at(), now);
    if outcome == Outcome::Applied {
        good.reading.unmapped.iter().for_each(|word| measure::unknown_word(gateway, word));
        good.reading.notes.iter().for_each(|note| measure::damaged(gateway, note));
        let amounts = good.reading.facts.iter().filter_map(|(_, fact)| fact.currency.zip(fact.amount));
        let doubted = amounts.filter(|(currency, amount)| (good.conventions.scale)(*currency).doubts(*amount));
        doubted.for_each(|_| measure::doubted(gateway));
    }
    if let Outcome::Ignored(because) = outcome
        && because.is_alarm()
    {
        warn!(
            gateway = gateway.slug(),
            account.id = %incoming.account(),
            event.id = good.reading.event.as_deref().unwrap_or("-"),
            outcome = because.as_str(),
            "Ignored a delivery that names another account or mode"
        );
    }
    debug!(
        gateway = gateway.slug(),
        account.id = %incoming.account(),
        event.id = good.reading.event.as_deref().unwrap_or("-"),
        outcome = outcome.word(),
        attempt = good.message.as_ref().map_or(0, |message| message.attempt),
        body_bytes = incoming.body().len(),
        "Handled a delivery"
    );
    if let Some(delivery) = incoming.delivery().filter(|delivery| delivery.released_by.is_some()) {
        info!(delivery.id = %delivery.id, "A parked delivery was released");
    }
}

#[cfg(test)]
mod tests;
