//! Folds what gained or lost facts, and writes the rows that are not the fold any more.

use std::collections::HashMap;

use afluente_model::{
    Conventions, Fact, Kind, Payment, PaymentFact, PaymentKind, Timestamp, fold, project, project_subscription,
};
use afluente_store::{PaymentRow, StoreError, StoredFact, SubscriptionRow, Tx};
use uuid::Uuid;

use crate::followup::Followups;
use crate::names::Renaming;

/// What folding payments needs to know beside their facts.
pub(crate) struct Refolding<'a> {
    /// Which names are other payments'.
    pub(crate) renaming: &'a Renaming,
    /// The receipt that brought each its newest fact.
    pub(crate) brought: &'a HashMap<Uuid, Uuid>,
    /// How its gateway writes times and amounts.
    pub(crate) conventions: &'a (dyn Fn(&PaymentRow) -> Result<Conventions, StoreError> + Sync),
}

/// The facts of one row, and the receipt that was recorded last among them.
struct Owned<K> {
    facts: Vec<Fact<K>>,
    latest: (Timestamp, Uuid),
}

fn by_owner<K: Kind>(stored: Vec<StoredFact<K>>) -> HashMap<Uuid, Owned<K>> {
    let mut grouped: HashMap<Uuid, Owned<K>> = HashMap::new();
    for one in stored {
        let recorded = (one.recorded_at, one.receipt);
        let owned = grouped.entry(one.owner).or_insert_with(|| Owned { facts: Vec::new(), latest: recorded });
        owned.latest = owned.latest.max(recorded);
        owned.facts.push(one.fact);
    }
    grouped
}

/// Folds these payments anew and writes those that changed. One without a fact goes: nobody says anything of it, so in
/// another order it would never have been there.
pub(crate) async fn payments(
    tx: &mut Tx,
    rows: &[&PaymentRow],
    refolding: &Refolding<'_>,
    now: Timestamp,
    followups: &mut Followups,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut facts = by_owner(tx.facts_of(&ids).await?);
    let (mut changed, mut gone) = (Vec::new(), Vec::new());
    for row in rows {
        let Some(owned) = facts.remove(&row.id) else {
            gone.push(row.id);
            if row.row_version > 0 {
                let into = refolding.renaming.resolve(&row.key);
                followups.payment_went(row, refolding.renaming.is_alias(&row.key).then_some(&into));
            }
            continue;
        };
        let payment = project(&fold(&owned.facts), (refolding.conventions)(row)?);
        let receipt = refolding.brought.get(&row.id).copied().unwrap_or(owned.latest.1);
        if let Some(new) = next_version(row, payment, owned.facts.len(), now) {
            if new.row_version != row.row_version {
                followups.payment_changed(row, &new, receipt, now);
            }
            if is_undescribed(&owned.facts) {
                followups.is_undescribed(row, receipt, now);
            }
            changed.push(new);
        }
    }
    tx.save_payments(&changed).await?;
    tx.delete_payments(&gone).await
}

/// Whether money is said to go back, and nobody has said yet that any was taken, held or tried to be.
fn is_undescribed(facts: &[PaymentFact]) -> bool {
    let goes_back = |fact: &PaymentFact| matches!(fact.kind, PaymentKind::Refund(_) | PaymentKind::Dispute(_));
    let describes = |fact: &PaymentFact| {
        matches!(
            fact.kind,
            PaymentKind::Attempt(_) | PaymentKind::Auth(_) | PaymentKind::Capture(_) | PaymentKind::Totals(_)
        )
    };
    facts.iter().any(goes_back) && !facts.iter().any(describes)
}

/// The row with what its facts say now; `None` if nothing about it is new. The version counts changes of what people
/// see, not arrivals.
fn next_version(row: &PaymentRow, payment: Payment, fact_count: usize, now: Timestamp) -> Option<PaymentRow> {
    let fact_count = i64::try_from(fact_count).unwrap_or(i64::MAX);
    let same = row.payment == payment && row.row_version > 0;
    if same && row.fact_count == fact_count {
        return None;
    }
    Some(PaymentRow {
        payment,
        fact_count,
        row_version: row.row_version + i64::from(!same),
        updated_at: if same { row.updated_at } else { now },
        ..row.clone()
    })
}

/// Folds these subscriptions anew and writes those that changed.
pub(crate) async fn subscriptions(
    tx: &mut Tx,
    rows: &[&SubscriptionRow],
    brought: &HashMap<Uuid, Uuid>,
    now: Timestamp,
    followups: &mut Followups,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut facts = by_owner(tx.subscription_facts_of(&ids).await?);
    let (mut changed, mut gone) = (Vec::new(), Vec::new());
    for row in rows {
        let Some(Owned { facts, .. }) = facts.remove(&row.id) else {
            gone.push(row.id);
            followups.subscription_went(row);
            continue;
        };
        let subscription = project_subscription(&fold(&facts));
        let same = row.subscription == subscription && row.row_version > 0;
        let new = SubscriptionRow {
            subscription,
            fact_count: i64::try_from(facts.len()).unwrap_or(i64::MAX),
            row_version: row.row_version + i64::from(!same),
            updated_at: if same { row.updated_at } else { now },
            ..(*row).clone()
        };
        if !same {
            followups.subscription_changed(row, &new, brought.get(&row.id).copied());
        }
        changed.push(new);
    }
    tx.save_subscriptions(&changed).await?;
    tx.delete_subscriptions(&gone).await
}
