//! Subscriptions of a batch: rows, facts, and the fold of what gained any.

use std::collections::{BTreeSet, HashMap};

use afluente_model::Timestamp;
use afluente_store::{StoreError, SubscriptionFactRow, SubscriptionKey, SubscriptionRow, Tx};
use uuid::Uuid;

use crate::entry::{Entry, SubscribedFact};
use crate::followup::Followups;
use crate::refold;

/// Adds the facts of these entries and writes the rows they change.
pub(crate) async fn write(
    tx: &mut Tx,
    entries: &[Entry<'_>],
    now: Timestamp,
    followups: &mut Followups,
) -> Result<(), StoreError> {
    let facts: Vec<SubscribedFact<'_>> = entries.iter().flat_map(Entry::subscription_facts).collect();
    let keys: BTreeSet<&SubscriptionKey> = facts.iter().map(|fact| &fact.key).collect();
    let keys: Vec<_> = keys.into_iter().map(|key| (key.clone(), Uuid::now_v7())).collect();
    let rows = tx.lock_subscriptions(&keys, now).await?;
    let ids: HashMap<&SubscriptionKey, Uuid> = rows.iter().map(|row| (&row.key, row.id)).collect();
    let new: Vec<SubscriptionFactRow> = facts.iter().map(|fact| row(fact, &ids)).collect::<Result<_, _>>()?;
    let gained: BTreeSet<Uuid> = tx.add_subscription_facts(&new, now).await?.into_iter().collect();
    let brought: HashMap<Uuid, Uuid> = new.iter().map(|row| (row.subscription, row.receipt)).collect();
    let changing: Vec<&SubscriptionRow> = rows.iter().filter(|row| gained.contains(&row.id)).collect();
    refold::subscriptions(tx, &changing, &brought, now, followups).await
}

fn row(fact: &SubscribedFact<'_>, ids: &HashMap<&SubscriptionKey, Uuid>) -> Result<SubscriptionFactRow, StoreError> {
    let missed = StoreError::Missed { table: "customer_subscriptions", expected: 1, got: 0 };
    let subscription = *ids.get(&fact.key).ok_or(missed)?;
    Ok(SubscriptionFactRow { subscription, fact: fact.fact.clone(), receipt: fact.receipt })
}
