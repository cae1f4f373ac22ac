//! Folds what gained or lost facts, and says what follows from the change.

use std::collections::HashMap;

use afluente_gateways::{WantReason, adapter};
use afluente_model::{Gateway, Kind, Payment, Resolution, Timestamp, fold, project, project_subscription};
use afluente_store::{
    EventRow, Inconsistency, OutboxRow, PaymentRow, StoreError, StoredFact, SubscriptionRow, Tx, WantRow,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::column;
use crate::names::Renaming;

/// What a batch leaves behind besides its rows.
#[derive(Default)]
pub(crate) struct Followups {
    pub(crate) events: Vec<EventRow>,
    pub(crate) outbox: Vec<OutboxRow>,
    pub(crate) wants: Vec<WantRow>,
    pub(crate) inconsistencies: Vec<Inconsistency>,
}

/// How finely this gateway's clock ticks; coarse where there is no adapter to ask.
pub(crate) fn resolution(gateway: Gateway) -> Resolution {
    adapter(gateway).map_or(Resolution::Second, |adapter| adapter.profile().resolution)
}

fn by_owner<K: Kind>(facts: Vec<StoredFact<K>>) -> HashMap<Uuid, Vec<afluente_model::Fact<K>>> {
    let mut grouped: HashMap<Uuid, Vec<_>> = HashMap::new();
    for stored in facts {
        grouped.entry(stored.owner).or_default().push(stored.fact);
    }
    grouped
}

/// Folds these payments anew and writes those that changed. `brought` is the receipt that brought each its newest fact.
pub(crate) async fn payments(
    tx: &mut Tx,
    rows: &[&PaymentRow],
    renaming: &Renaming,
    brought: &HashMap<Uuid, Uuid>,
    now: Timestamp,
    followups: &mut Followups,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut facts = by_owner(tx.facts_of(&ids).await?);
    let (mut changed, mut gone) = (Vec::new(), Vec::new());
    for row in rows {
        let facts = facts.remove(&row.id).unwrap_or_default();
        if facts.is_empty() && renaming.is_alias(&row.key) {
            followups.events.push(merged_event(row, renaming));
            gone.push(row.id);
            continue;
        }
        let payment = project(&fold(&facts), resolution(row.gateway));
        let fact_count = i64::try_from(facts.len()).unwrap_or(i64::MAX);
        let receipt = brought.get(&row.id).copied();
        if let Some(new) = next_version(row, payment, fact_count, now) {
            follow_up(row, &new, receipt, now, followups);
            changed.push(new);
        }
    }
    tx.save_payments(&changed).await?;
    tx.delete_payments(&gone).await
}

/// The row with what its facts say now; `None` if nothing about it is new. The version counts changes of what people
/// see, not arrivals.
fn next_version(row: &PaymentRow, payment: Payment, fact_count: i64, now: Timestamp) -> Option<PaymentRow> {
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

fn merged_event(row: &PaymentRow, renaming: &Renaming) -> EventRow {
    let into = renaming.resolve(&row.key);
    EventRow {
        id: Uuid::now_v7(),
        entity_type: "payment",
        entity: row.id,
        row_version: row.row_version,
        kind: "merged",
        detail: json!({"name": &*row.key.id, "into": &*into.id}).to_string(),
        receipt: None,
        actor: "worker".into(),
    }
}

/// The event, the announcement, and the questions a change raises.
fn follow_up(old: &PaymentRow, new: &PaymentRow, receipt: Option<Uuid>, now: Timestamp, followups: &mut Followups) {
    if new.row_version == old.row_version {
        return;
    }
    let (before, after) = (column::of_payment(&old.payment), column::of_payment(&new.payment));
    let (kind, detail) = change(old.row_version, old.payment.status == new.payment.status, &before, &after);
    let key = format!("{}/{}/{}", new.key.account, new.key.tenant, new.key.id);
    let row: Map<String, Value> = after.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    followups.outbox.push(OutboxRow {
        id: Uuid::now_v7(),
        topic: "payment.changed",
        key: key.clone().into(),
        payload: json!({
            "account": new.key.account.as_str(),
            "tenant": &*new.key.tenant,
            "provider_v2": new.gateway.as_str(),
            "provider_payment_id": &*new.key.id,
            "row_version": new.row_version,
            "from": old.payment.status.as_str(),
            "row": row,
        })
        .to_string(),
    });
    followups.events.push(EventRow {
        id: Uuid::now_v7(),
        entity_type: "payment",
        entity: new.id,
        row_version: new.row_version,
        kind,
        detail,
        receipt,
        actor: "worker".into(),
    });
    questions(old, new, receipt, now, followups);
}

type Columns = [(&'static str, Value)];

/// What a change is called, and its old and new values by column.
fn change(old_version: i64, same_status: bool, before: &Columns, after: &Columns) -> (&'static str, String) {
    let kind = match (old_version, same_status) {
        (0, _) => "created",
        (_, true) => "updated",
        (_, false) => "status_changed",
    };
    let changed = column::difference(before, after).into_iter();
    let detail: Map<String, Value> = changed.map(|(name, old, new)| (name.to_owned(), json!([old, new]))).collect();
    (kind, Value::Object(detail).to_string())
}

/// What newly contradicts itself is read back, and shown to a person where reading cannot settle it.
fn questions(old: &PaymentRow, new: &PaymentRow, receipt: Option<Uuid>, now: Timestamp, followups: &mut Followups) {
    let raised = |flag: fn(&Payment) -> bool| flag(&new.payment) && !flag(&old.payment);
    let want = |reason: WantReason| WantRow {
        id: Uuid::now_v7(),
        account: new.key.account.clone(),
        tenant: new.key.tenant.clone(),
        kind: "payment".into(),
        reference: new.key.id.clone(),
        reason: reason.as_str(),
        not_before: now,
        receipt: receipt.unwrap_or_default(),
    };
    let report = |kind: &'static str, detail: String| Inconsistency {
        id: Uuid::now_v7(),
        kind,
        fingerprint: format!("{kind} {} {} {}", new.key.account, new.key.tenant, new.key.id),
        account: new.key.account.clone(),
        entity: format!("payment {}", new.key.id),
        detail,
    };
    if raised(|payment| payment.contested) {
        followups.wants.push(want(WantReason::Contested));
    }
    if raised(|payment| payment.returned_more_than_captured) {
        followups.wants.push(want(WantReason::ReturnedMoreThanCaptured));
        let amounts = new.payment.amounts;
        let detail = format!("more was given back than the {} captured; refunded is cut to it", amounts.captured);
        followups.inconsistencies.push(report("returned_more_than_captured", detail));
    }
    if raised(|payment| payment.mixed_currency) {
        let row = new.payment.currency.map_or_else(String::new, |currency| currency.to_string());
        followups
            .inconsistencies
            .push(report("mixed_currency", format!("facts in another currency than {row} lost their amounts")));
    }
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
    let mut changed = Vec::new();
    for row in rows {
        let facts = facts.remove(&row.id).unwrap_or_default();
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
            followups.events.push(subscription_event(row, &new, brought.get(&row.id).copied()));
        }
        changed.push(new);
    }
    tx.save_subscriptions(&changed).await
}

fn subscription_event(old: &SubscriptionRow, new: &SubscriptionRow, receipt: Option<Uuid>) -> EventRow {
    let before = column::of_subscription(&old.subscription);
    let after = column::of_subscription(&new.subscription);
    let (kind, detail) = change(old.row_version, old.subscription.base == new.subscription.base, &before, &after);
    EventRow {
        id: Uuid::now_v7(),
        entity_type: "subscription",
        entity: new.id,
        row_version: new.row_version,
        kind,
        detail,
        receipt,
        actor: "worker".into(),
    }
}
