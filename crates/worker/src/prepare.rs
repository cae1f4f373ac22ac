//! From a sealed message to what will be written: pure, so it runs on as many threads as there are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use afluente_gateways::{Envelope, Malformed, Reading, read};
use afluente_model::{Conventions, Incoming, Source, Timestamp, chain};
use afluente_queue::{Received, SealKeys};
use afluente_store::{DeadLetter, DeadReason, Receipt, ReceiptState};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::account::{Account, Accounts};
use crate::entry::{Entry, notes_of};

/// How far a gateway's clock may run ahead of our receive time before a delivery is parked, seconds. A fact from the
/// future would hold its register until then.
pub const PARK_AFTER_SECONDS: i64 = 300;

/// A delivery ready to be written, one way or the other.
#[derive(Debug)]
pub enum Prepared {
    /// Goes into the ledger.
    Good(Box<Good>),
    /// Goes into the dead letters.
    Dead(Box<DeadLetter>),
}

/// A body that was read.
#[derive(Debug)]
pub struct Good {
    /// Its evidence.
    pub receipt: Receipt,
    /// The source its facts carry.
    pub source: Source,
    /// How its gateway writes times and amounts.
    pub conventions: Conventions,
    /// What it says.
    pub reading: Reading,
    /// The message it came with, for the case that it still ends among the dead; an answer came with none.
    pub message: Option<Message>,
}

/// What is kept of a message until its delivery is written.
#[derive(Debug)]
pub struct Message {
    /// How often it was tried before.
    pub attempt: u32,
    /// Its sealed head.
    pub head: Bytes,
}

/// The part of a received message that preparing needs; sharing bytes with it.
pub(crate) struct Raw {
    id: afluente_model::DeliveryId,
    gateway: afluente_model::Gateway,
    head: Bytes,
    body: Bytes,
    attempt: u32,
    /// Why the broker gave it up, if it did.
    given_up: Option<Box<str>>,
}

impl Raw {
    pub(crate) fn of(received: &Received) -> Raw {
        Raw {
            id: received.id(),
            gateway: received.gateway(),
            head: received.head().clone(),
            body: received.body().clone(),
            attempt: received.attempt(),
            given_up: received.given_up().map(Into::into),
        }
    }

    fn dead(&self, reason: DeadReason, error: String, account: Option<&str>, now: Timestamp) -> Prepared {
        Prepared::Dead(Box::new(DeadLetter {
            id: Uuid::now_v7(),
            delivery_id: self.id,
            gateway: self.gateway.slug(),
            account: account.map(Into::into),
            reason,
            error,
            attempts: self.attempt + 1,
            first_seen_at: now,
            head: self.head.clone(),
            body: self.body.clone(),
        }))
    }
}

impl Prepared {
    /// The delivery, if it was read.
    pub(crate) fn good(&self) -> Option<&Good> {
        match self {
            Prepared::Good(good) => Some(good),
            Prepared::Dead(_) => None,
        }
    }

    /// The dead letter, if it is one.
    pub(crate) fn dead(&self) -> Option<&DeadLetter> {
        match self {
            Prepared::Dead(letter) => Some(letter),
            Prepared::Good(_) => None,
        }
    }
}

impl Good {
    /// What it says, as read in this receipt.
    pub(crate) fn entry(&self, receipt: Uuid) -> Entry<'_> {
        Entry {
            account: self.receipt.incoming.account(),
            gateway: self.receipt.incoming.gateway(),
            conventions: self.conventions,
            source: self.source,
            reading: &self.reading,
            is_proved: self.receipt.incoming.is_proved(),
            receipt,
        }
    }

    /// The same delivery as a dead letter; `None` for an answer, whose question stays open instead.
    pub(crate) fn bury(&self, reason: DeadReason, error: String) -> Option<DeadLetter> {
        let (message, delivery) = (self.message.as_ref()?, self.receipt.incoming.delivery()?);
        Some(DeadLetter {
            id: Uuid::now_v7(),
            delivery_id: delivery.id,
            gateway: delivery.gateway.slug(),
            account: Some(delivery.account.as_str().into()),
            reason,
            error,
            attempts: message.attempt + 1,
            first_seen_at: delivery.received_at,
            head: message.head.clone(),
            body: delivery.body.clone(),
        })
    }

    /// Reads a body; `None` for its message yet.
    pub(crate) fn read(incoming: Incoming, account: &Account) -> Result<Good, Unread> {
        let envelope = Envelope::of(&incoming, &account.view);
        let source = envelope.source().unwrap_or(Source::Webhook);
        let reading = read(account.adapter, &envelope)?;
        if let Some(ahead_seconds) = ahead_of_us(&reading, &incoming) {
            return Err(Unread::Ahead { ahead_seconds });
        }
        let conventions = account.adapter.profile().conventions;
        Ok(Good { receipt: receipt(incoming, &reading), source, conventions, reading, message: None })
    }
}

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// Nobody can.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It says what has not happened yet.
    #[error("the gateway's clock runs {ahead_seconds}s ahead of ours, at most {PARK_AFTER_SECONDS}s allowed")]
    Ahead {
        /// How far.
        ahead_seconds: i64,
    },
}

/// Prepares a batch on all cores, one answer for each message in its order. A panic in one delivery is that delivery's
/// dead letter; `None` is what was not read because the runtime shuts down.
pub(crate) async fn prepare_all(
    batch: &[Received],
    accounts: &Arc<Accounts>,
    keys: &Arc<SealKeys>,
) -> Vec<Option<Prepared>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // A hand-over to another thread costs about as much as reading a few bodies.
    let share = batch.len().div_ceil(threads).max(8);
    let parts: Vec<_> = batch
        .chunks(share)
        .map(|part| {
            let raw: Vec<Raw> = part.iter().map(Raw::of).collect();
            let (accounts, keys) = (Arc::clone(accounts), Arc::clone(keys));
            let now = crate::now();
            let count = raw.len();
            let read = tokio::task::spawn_blocking(move || {
                raw.iter().map(|raw| prepare(raw, &accounts, &keys, now)).collect::<Vec<_>>()
            });
            (count, read)
        })
        .collect();
    gather(parts).await
}

/// The answers of all parts in their order. A part that was cut off keeps its places: an answer that moved into another's
/// place would acknowledge what was never written.
async fn gather<T>(parts: Vec<(usize, JoinHandle<Vec<T>>)>) -> Vec<Option<T>> {
    let mut prepared = Vec::new();
    for (count, part) in parts {
        // Panics are caught inside and nothing aborts these tasks, so the join fails only while the runtime shuts down.
        match part.await {
            Ok(part) => prepared.extend(part.into_iter().map(Some)),
            Err(_) => prepared.extend((0..count).map(|_| None)),
        }
    }
    prepared
}

fn prepare(raw: &Raw, accounts: &Accounts, keys: &SealKeys, now: Timestamp) -> Prepared {
    catch_unwind(AssertUnwindSafe(|| open(raw, accounts, keys, now)))
        .unwrap_or_else(|_| raw.dead(DeadReason::Panicked, "reading the delivery panicked".to_owned(), None, now))
}

fn open(raw: &Raw, accounts: &Accounts, keys: &SealKeys, now: Timestamp) -> Prepared {
    let delivery = match keys.open(&raw.head, raw.body.clone()) {
        Ok(delivery) => delivery,
        Err(error) => return raw.dead(DeadReason::Undecodable, chain(&error), None, now),
    };
    let name = delivery.account.to_string();
    if let Some(why) = &raw.given_up {
        let error = format!("the broker gave it up: {why}");
        return raw.dead(DeadReason::Exhausted, error, Some(&name), delivery.received_at);
    }
    let Some(account) = accounts.find(&delivery.account, delivery.gateway) else {
        let error = format!("no account {name} of gateway {} in the configuration", delivery.gateway.slug());
        return raw.dead(DeadReason::UnknownAccount, error, Some(&name), delivery.received_at);
    };
    let received_at = delivery.received_at;
    match Good::read(Incoming::Delivery(delivery), account) {
        Ok(good) => {
            let message = Some(Message { attempt: raw.attempt, head: raw.head.clone() });
            Prepared::Good(Box::new(Good { message, ..good }))
        }
        Err(why) => {
            let reason = match why {
                Unread::Malformed(_) => DeadReason::Malformed,
                Unread::Ahead { .. } => DeadReason::FutureDated,
            };
            raw.dead(reason, chain(&why), Some(&name), received_at)
        }
    }
}

/// By how many seconds the reading lies too far ahead of its receive time, unless somebody released it.
fn ahead_of_us(reading: &Reading, incoming: &Incoming) -> Option<i64> {
    let ahead = reading.latest?.micros_since(incoming.received_at()) / 1_000_000;
    let released = incoming.delivery().is_some_and(|delivery| delivery.released_by.is_some());
    (ahead > PARK_AFTER_SECONDS && !released).then_some(ahead)
}

fn receipt(incoming: Incoming, reading: &Reading) -> Receipt {
    Receipt {
        id: Uuid::now_v7(),
        event: reading.event.clone(),
        event_type: reading.event_type.clone(),
        state: if reading.ignored.is_some() { ReceiptState::Ignored } else { ReceiptState::Applied },
        ignored_because: reading.ignored.map(afluente_gateways::IgnoredBecause::as_str),
        notes: notes_of(reading),
        body_hash: Sha256::digest(incoming.body()).into(),
        incoming,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_was_cut_off_keeps_its_places() {
        let cut_off = tokio::spawn(std::future::pending::<Vec<u32>>());
        cut_off.abort();
        let parts = vec![(2, tokio::spawn(async { vec![1, 2] })), (3, cut_off), (1, tokio::spawn(async { vec![6] }))];
        assert_eq!(gather(parts).await, [Some(1), Some(2), None, None, None, Some(6)]);
    }
}
