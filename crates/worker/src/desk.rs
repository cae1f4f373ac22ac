//! The desk of dead letters: what would happen now, replay, discard. Doors (command line, console) only call these.
//!
//! Safe while workers run and with two people at once: replaying is a confirmed publish of the sealed original followed
//! by one conditional update of its row, and a delivery that goes through twice changes nothing the second time.

use std::time::Duration;

use afluente_gateways::{Envelope, read};
use afluente_model::{DeliveryId, Gateway};
use afluente_queue::{Queue, SealKeys, Sealed};
use afluente_store::report::DeadView;
use afluente_store::{DeadReason, DeadState, EventRow, Store, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::account::Accounts;
use crate::chain;

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
}

/// Reads a dead letter with today's adapters and accounts. Changes nothing.
#[must_use]
pub fn preview(letter: &DeadView, accounts: &Accounts, keys: &SealKeys) -> Preview {
    let delivery = match keys.open(&letter.head, letter.body.clone()) {
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
    match read(account.adapter, &Envelope::of(&delivery, &account.view)) {
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

/// Puts dead letters back on the queue, at most one in `pause`, in the order given. `by` is who does it.
///
/// A parked delivery is released by this: it is sealed anew with the name of who released it. Every other goes as it came.
pub async fn replay(
    store: &Store,
    queue: &Queue,
    keys: &SealKeys,
    letters: &[DeadView],
    by: &str,
    pause: Duration,
) -> Result<Replayed, StoreError> {
    let mut report = Replayed::default();
    for (index, letter) in letters.iter().enumerate() {
        if index > 0 && !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let message = match message(letter, keys, by) {
            Ok(message) => message,
            Err(error) => {
                report.failed.push((letter.id, error));
                continue;
            }
        };
        if let Err(error) = queue.publish(message).await {
            report.failed.push((letter.id, chain(&error)));
            continue;
        }
        let settled = settle(store, &[letter.id], DeadState::Replayed, by, "replayed").await?;
        if settled.is_empty() { report.already_settled.push(letter.id) } else { report.replayed.push(letter.id) }
    }
    Ok(report)
}

/// Gives dead letters up, with a reason. Returns those that were open; nothing is deleted.
pub async fn discard(store: &Store, ids: &[Uuid], by: &str, because: &str) -> Result<Vec<Uuid>, StoreError> {
    settle(store, ids, DeadState::Discarded, by, because).await
}

fn message(letter: &DeadView, keys: &SealKeys, by: &str) -> Result<Sealed, String> {
    let gateway = Gateway::from_slug(&letter.gateway).ok_or_else(|| format!("unknown gateway {}", letter.gateway))?;
    if letter.reason != DeadReason::FutureDated.as_str() {
        return Ok(Sealed {
            id: DeliveryId(letter.delivery_id),
            gateway,
            head: letter.head.clone(),
            body: letter.body.clone(),
        });
    }
    let mut delivery = keys.open(&letter.head, letter.body.clone()).map_err(|error| chain(&error))?;
    delivery.released_by = Some(by.into());
    Ok(keys.seal(&delivery))
}

async fn settle(
    store: &Store,
    ids: &[Uuid],
    state: DeadState,
    by: &str,
    because: &str,
) -> Result<Vec<Uuid>, StoreError> {
    let now = crate::now();
    let mut tx = store.begin().await?;
    let settled = tx.settle_dead(ids, state, by, because, now).await?;
    let events: Vec<EventRow> = settled
        .iter()
        .map(|id| EventRow {
            id: Uuid::now_v7(),
            entity_type: "dead_letter",
            entity: *id,
            row_version: 1,
            kind: match state {
                DeadState::Replayed => "replayed",
                DeadState::Discarded => "discarded",
                DeadState::Open => "opened",
            },
            detail: json!({"because": because}).to_string(),
            receipt: None,
            actor: by.into(),
        })
        .collect();
    tx.add_events(&events, now).await?;
    tx.commit().await?;
    Ok(settled)
}
