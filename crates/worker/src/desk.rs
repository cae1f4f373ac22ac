//! The desk of dead letters: what would happen now, replay, discard. Doors (command line, console) only call these.
//!
//! Safe while workers run and with several people at once, on one machine or many: whoever replays holds the letter's row from
//! before the sealed original is published until it is settled. Nobody else publishes it meanwhile, and if it fails again at
//! once it is buried as a new letter and not counted as the old one. A crash in between leaves it open and published: a
//! delivery that goes through twice changes nothing the second time.

use std::time::Duration;

use afluente_gateways::{Envelope, read};
use afluente_model::{DeliveryId, Gateway, Incoming, Money, chain};
use afluente_queue::{Queue, SealKeys, Sealed};
use afluente_store::report::{DeadMessage, DeadView};
use afluente_store::{Class, DeadReason, DeadState, EventRow, Store, StoreError, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::account::Accounts;

/// What would happen if a dead letter were handled now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preview {
    /// It would be applied: so many facts about so many payments and subscriptions, so many wants.
    Applies {
        /// The gateway's word for what happened.
        event_type: String,
        /// Facts it asserts.
        facts: usize,
        /// Questions it raises.
        wants: usize,
    },
    /// It would be kept and change nothing.
    Ignored(&'static str),
    /// It would come back, for this reason.
    Fails(String),
}

/// How a replay ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Back on the queue.
    pub replayed: Vec<Uuid>,
    /// Settled by somebody else meanwhile.
    pub already_settled: Vec<Uuid>,
    /// Not replayed, with the reason.
    pub failed: Vec<(Uuid, String)>,
    /// Not reached, because the process was told to stop.
    pub left: Vec<Uuid>,
}

/// Reads a dead letter with today's adapters and accounts. Changes nothing.
#[must_use]
pub fn preview(held: &DeadMessage, accounts: &Accounts, keys: &SealKeys) -> Preview {
    let delivery = match keys.open(&held.head, held.body.clone()) {
        Ok(delivery) => delivery,
        Err(error) => return Preview::Fails(chain(&error)),
    };
    let Some(account) = accounts.find(&delivery.account, delivery.gateway) else {
        return Preview::Fails(format!(
            "no account {} of gateway {} in the configuration",
            delivery.account,
            delivery.gateway.slug()
        ));
    };
    match read(account.adapter, &Envelope::of(&Incoming::Delivery(delivery), &account.view)) {
        Err(error) => Preview::Fails(chain(&error)),
        Ok(reading) => match reading.ignored {
            Some(because) => Preview::Ignored(because.as_str()),
            None => Preview::Applies {
                event_type: reading.event_type.into(),
                facts: reading.facts.len() + reading.subscriptions.len(),
                wants: reading.wants.len(),
            },
        },
    }
}

/// The money a dead letter is about: the largest amount it states, with its gateway. `None` if it states none, or cannot be
/// read.
#[must_use]
pub fn at_stake(held: &DeadMessage, accounts: &Accounts, keys: &SealKeys) -> Option<(Gateway, Money)> {
    let delivery = keys.open(&held.head, held.body.clone()).ok()?;
    let account = accounts.find(&delivery.account, delivery.gateway)?;
    let gateway = delivery.gateway;
    let reading = read(account.adapter, &Envelope::of(&Incoming::Delivery(delivery), &account.view)).ok()?;
    let stated =
        reading.facts.iter().filter_map(|(_, fact)| Some(Money { amount: fact.amount?, currency: fact.currency? }));
    stated.max_by_key(|money| money.amount.minor()).map(|money| (gateway, money))
}

/// What a replay acts with.
pub struct Replay<'a> {
    /// Where the letters lie.
    pub store: &'a Store,
    /// Where they go.
    pub queue: &'a Queue,
    /// Opens and seals those that are released.
    pub keys: &'a SealKeys,
    /// Who does it.
    pub by: &'a str,
    /// At most one letter in this time.
    pub pause: Duration,
}

impl Replay<'_> {
    /// Puts dead letters back on the queue, in the order given, until all went or `stop` ends. Only one is held in memory
    /// at a time.
    ///
    /// A parked delivery is released by this: it is sealed anew with the name of who released it. Every other goes as it
    /// came.
    pub async fn run(&self, letters: &[DeadView], stop: impl Future<Output = ()>) -> Result<Replayed, StoreError> {
        let mut report = Replayed::default();
        tokio::pin!(stop);
        for (index, letter) in letters.iter().enumerate() {
            let pause = if index == 0 { Duration::ZERO } else { self.pause };
            tokio::select! {
                biased;
                () = &mut stop => {
                    report.left.extend(letters[index..].iter().map(|letter| letter.id));
                    break;
                }
                () = tokio::time::sleep(pause) => {}
            }
            match self.one(letter).await? {
                Ok(true) => report.replayed.push(letter.id),
                Ok(false) => report.already_settled.push(letter.id),
                Err(error) => report.failed.push((letter.id, error)),
            }
        }
        Ok(report)
    }

    /// Whether it was still open, or why it could not go.
    async fn one(&self, letter: &DeadView) -> Result<Result<bool, String>, StoreError> {
        let Some(held) = self.store.dead_message(letter.id).await? else {
            return Ok(Err("no such dead letter".to_owned()));
        };
        let message = match message(letter, held, self.keys, self.by) {
            Ok(message) => message,
            Err(error) => return Ok(Err(error)),
        };
        let mut tx = self.store.begin().await?;
        let ours = match settle(&mut tx, &[letter.id], DeadState::Replayed, self.by, "replayed").await {
            Ok(settled) => !settled.is_empty(),
            Err(error) if error.class() == Class::Contended => return Ok(Err(chain(&error))),
            Err(error) => return Err(error),
        };
        if !ours {
            return Ok(Ok(false));
        }
        if let Err(error) = self.queue.publish(message).await {
            return Ok(Err(chain(&error)));
        }
        tx.commit().await?;
        Ok(Ok(true))
    }
}

/// Gives dead letters up, with a reason. Returns those that were open; nothing is deleted.
pub async fn discard(store: &Store, ids: &[Uuid], by: &str, because: &str) -> Result<Vec<Uuid>, StoreError> {
    let mut tx = store.begin().await?;
    let settled = settle(&mut tx, ids, DeadState::Discarded, by, because).await?;
    tx.commit().await?;
    Ok(settled)
}

/// Records that inconsistencies were dealt with. Returns those that were open; nothing is deleted, and no row changes.
pub async fn resolve(store: &Store, ids: &[Uuid], by: &str, because: &str) -> Result<Vec<Uuid>, StoreError> {
    let now = crate::now();
    let mut tx = store.begin().await?;
    let resolved = tx.resolve_inconsistencies(ids, by, because, now).await?;
    tx.add_events(&decided("inconsistency", "resolved", &resolved, by, because), now).await?;
    tx.commit().await?;
    Ok(resolved)
}

/// Gives questions up. Returns those that were open; who did it and why stays with each, and what is raised again is a new one.
pub async fn drop_wants(store: &Store, ids: &[Uuid], by: &str, because: &str) -> Result<Vec<Uuid>, StoreError> {
    let now = crate::now();
    let mut tx = store.begin().await?;
    let dropped = tx.drop_wants(ids, by, because, now).await?;
    tx.add_events(&decided("want", "dropped", &dropped, by, because), now).await?;
    tx.commit().await?;
    Ok(dropped)
}

/// Makes questions due at once, whatever was answered last. Returns those that were open.
pub async fn retry_wants(store: &Store, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let mut tx = store.begin().await?;
    let due = tx.retry_wants(ids, crate::now()).await?;
    tx.commit().await?;
    Ok(due)
}

fn message(letter: &DeadView, held: DeadMessage, keys: &SealKeys, by: &str) -> Result<Sealed, String> {
    let gateway = Gateway::from_slug(&letter.gateway).ok_or_else(|| format!("unknown gateway {}", letter.gateway))?;
    if letter.reason != DeadReason::FutureDated.as_str() {
        return Ok(Sealed { id: DeliveryId(letter.delivery_id), gateway, head: held.head, body: held.body });
    }
    let mut delivery = keys.open(&held.head, held.body).map_err(|error| chain(&error))?;
    delivery.released_by = Some(by.into());
    Ok(keys.seal(&delivery))
}

async fn settle(tx: &mut Tx, ids: &[Uuid], state: DeadState, by: &str, because: &str) -> Result<Vec<Uuid>, StoreError> {
    let now = crate::now();
    let settled = tx.settle_dead(ids, state, by, because, now).await?;
    let kind = match state {
        DeadState::Replayed => "replayed",
        DeadState::Discarded => "discarded",
        DeadState::Open => "opened",
    };
    tx.add_events(&decided("dead_letter", kind, &settled, by, because), now).await?;
    Ok(settled)
}

/// What a person decided, for the record.
fn decided(entity_type: &'static str, kind: &'static str, ids: &[Uuid], by: &str, because: &str) -> Vec<EventRow> {
    let detail = json!({"because": because}).to_string();
    let event = |id: &Uuid| EventRow {
        id: Uuid::now_v7(),
        entity_type,
        entity: *id,
        row_version: 1,
        kind,
        detail: detail.clone(),
        receipt: None,
        actor: by.into(),
    };
    ids.iter().map(event).collect()
}
