//! What follows from a change: events, announcements, questions, contradictions.

use std::collections::BTreeMap;

use afluente_model::{Payment, Timestamp, WantKind, WantReason};
use afluente_store::people::Refreshed;
use afluente_store::{
    EventRow, Inconsistency, OutboxRow, PaymentKey, PaymentRow, StoreError, SubscriptionKey, SubscriptionRow, Tx,
    WantRow,
};
use serde::{Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

use crate::column::{self, Column, Difference};

/// What a batch leaves behind besides its rows.
#[derive(Debug)]
pub(crate) struct Followups {
    /// Who changes it, for the record.
    actor: Box<str>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) outbox: Vec<OutboxRow>,
    pub(crate) wants: Vec<WantRow>,
    pub(crate) inconsistencies: Vec<Inconsistency>,
    /// Payments whose rows became others, each with the receipt that brought it.
    pub(crate) changed: BTreeMap<PaymentKey, Uuid>,
    /// Fingerprints of contradictions that are none any more.
    explained: Vec<String>,
}

impl Followups {
    /// Nothing yet, on behalf of somebody: `worker`, or a person.
    pub(crate) fn by(actor: &str) -> Followups {
        Followups {
            actor: actor.into(),
            events: Vec::new(),
            outbox: Vec::new(),
            wants: Vec::new(),
            inconsistencies: Vec::new(),
            changed: BTreeMap::new(),
            explained: Vec::new(),
        }
    }

    /// Nothing yet, on behalf of the same: for what is written in a part of its own.
    pub(crate) fn apart(&self) -> Followups {
        Followups::by(&self.actor)
    }

    /// Writes all of it.
    pub(crate) async fn save(self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        tx.open_wants(&self.wants, now).await?;
        let because = "what came since explains it";
        tx.settle_inconsistencies(&self.explained, &self.actor, because, now).await?;
        tx.report_inconsistencies(&self.inconsistencies, now).await?;
        tx.add_events(&self.events, now).await?;
        tx.add_outbox(&self.outbox, now).await
    }

    /// A payment's row became another: its event, its announcement, and the questions the change raises.
    pub(crate) fn payment_changed(&mut self, old: &PaymentRow, new: &PaymentRow, receipt: Uuid, now: Timestamp) {
        let (before, after) = (column::of_payment(&old.payment), column::of_payment(&new.payment));
        let same_status = old.payment.status == new.payment.status;
        let (kind, detail) = change(old.row_version, same_status, &before, &after);
        self.outbox.push(announcement(old, new, &after));
        let event = EventRow {
            entity_type: "payment",
            entity: new.id,
            row_version: new.row_version,
            receipt: Some(receipt),
            ..self.event(kind, detail)
        };
        self.events.push(event);
        self.questions(old, new, receipt, now);
        self.changed.insert(new.key.clone(), receipt);
    }

    /// A refund or dispute of a payment nobody has described: asked for, unless the rest comes within minutes.
    pub(crate) fn is_undescribed(&mut self, row: &PaymentRow, receipt: Uuid, now: Timestamp) {
        self.wants.push(want(row, WantReason::Unconfirmed, receipt, now));
    }

    /// A payment's row goes: all its facts are another payment's, or nobody's any more.
    pub(crate) fn payment_went(&mut self, row: &PaymentRow, into: Option<&PaymentKey>) {
        let (kind, topic, detail) = match into {
            Some(into) => ("merged", "payment.merged", json!({"name": &*row.key.id, "into": &*into.id})),
            None => ("emptied", "payment.emptied", json!({"name": &*row.key.id})),
        };
        let held = DOUBTS.iter().filter(|doubt| (doubt.holds)(&row.payment));
        self.explained.extend(held.map(|doubt| fingerprint(row, doubt.kind)));
        let PaymentKey { account, tenant, id } = &row.key;
        self.outbox.push(gone(topic, (account.as_str(), tenant, id), into.map(|into| &*into.id)));
        let event = EventRow {
            entity_type: "payment",
            entity: row.id,
            row_version: row.row_version,
            ..self.event(kind, detail.to_string())
        };
        self.events.push(event);
    }

    /// A subscription's row became another.
    pub(crate) fn subscription_changed(&mut self, old: &SubscriptionRow, new: &SubscriptionRow, receipt: Option<Uuid>) {
        let before = column::of_subscription(&old.subscription);
        let after = column::of_subscription(&new.subscription);
        let same_base = old.subscription.base == new.subscription.base;
        let (kind, detail) = change(old.row_version, same_base, &before, &after);
        let event = EventRow {
            entity_type: "subscription",
            entity: new.id,
            row_version: new.row_version,
            receipt,
            ..self.event(kind, detail)
        };
        self.events.push(event);
        self.outbox.push(subscription_announcement(old, new, &after));
    }

    /// A customer's row became another.
    pub(crate) fn customer_changed(&mut self, one: &Refreshed) {
        let (kind, detail) = match one.merged_into {
            Some(into) => ("merged", json!({"into": into})),
            None if one.row_version == 1 => ("created", json!({})),
            None => ("updated", json!({})),
        };
        let event = EventRow {
            entity_type: "customer",
            entity: one.customer,
            row_version: one.row_version,
            ..self.event(kind, detail.to_string())
        };
        self.events.push(event);
        let payload = json!({"customer": one.customer, "row_version": one.row_version, "merged_into": one.merged_into});
        let key = one.customer.to_string().into();
        let topic = "customer.changed";
        self.outbox.push(OutboxRow { id: Uuid::now_v7(), topic, key, payload: payload.to_string() });
    }

    fn event(&self, kind: &'static str, detail: String) -> EventRow {
        EventRow {
            id: Uuid::now_v7(),
            entity_type: "payment",
            entity: Uuid::nil(),
            row_version: 0,
            kind,
            detail,
            receipt: None,
            actor: self.actor.clone(),
        }
    }

    /// A subscription's row goes: nobody says anything of it any more.
    pub(crate) fn subscription_went(&mut self, row: &SubscriptionRow) {
        let detail = json!({"name": &*row.key.id}).to_string();
        let key = &row.key;
        self.outbox.push(gone("subscription.emptied", (key.account.as_str(), &key.tenant, &key.id), None));
        let event = EventRow {
            entity_type: "subscription",
            entity: row.id,
            row_version: row.row_version,
            ..self.event("emptied", detail)
        };
        self.events.push(event);
    }

    /// What newly contradicts itself is read back, and shown to a person where reading cannot settle it; what was shown and
    /// holds no longer is taken off the list, since in another order it would never have been on it.
    fn questions(&mut self, old: &PaymentRow, new: &PaymentRow, receipt: Uuid, now: Timestamp) {
        let raised = |flag: fn(&Payment) -> bool| flag(&new.payment) && !flag(&old.payment);
        if raised(|payment| payment.contested) {
            self.wants.push(want(new, WantReason::Contested, receipt, now));
        }
        if raised(|payment| payment.returned_more_than_captured) {
            self.wants.push(want(new, WantReason::ReturnedMoreThanCaptured, receipt, now));
        }
        for doubt in &DOUBTS {
            match ((doubt.holds)(&old.payment), (doubt.holds)(&new.payment)) {
                (false, true) => {
                    self.inconsistencies.push(contradiction(new, doubt.kind, (doubt.detail)(&new.payment)));
                }
                (true, false) => self.explained.push(fingerprint(new, doubt.kind)),
                (true, true) | (false, false) => {}
            }
        }
    }
}

/// What a row may say of itself that a person has to see.
struct Doubt {
    kind: &'static str,
    holds: fn(&Payment) -> bool,
    detail: fn(&Payment) -> String,
}

static DOUBTS: [Doubt; 3] = [
    Doubt {
        kind: "returned_more_than_captured",
        holds: |payment| payment.returned_more_than_captured,
        detail: |payment| {
            format!("more was given back than the {} captured; refunded is cut to it", payment.amounts.captured)
        },
    },
    Doubt {
        kind: "amount_doubted",
        holds: |payment| payment.amount_doubted,
        detail: |payment| {
            format!("an amount breaks the gateway's own rule for {}; it is kept as it came", currency(payment))
        },
    },
    Doubt {
        kind: "mixed_currency",
        holds: |payment| payment.mixed_currency,
        detail: |payment| format!("facts in another currency than {} lost their amounts", currency(payment)),
    },
];

fn currency(payment: &Payment) -> String {
    payment.currency.map_or_else(|| "none".to_owned(), |currency| currency.to_string())
}

/// What is announced of a change: the whole row as it is now.
#[derive(Serialize)]
struct Announcement<'a> {
    account: &'a str,
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_v2: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_payment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_subscription_id: Option<&'a str>,
    row_version: i64,
    from: &'static str,
    #[serde(serialize_with = "by_name")]
    row: &'a [Column<'a>],
}

fn by_name<S: Serializer>(columns: &[Column<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(columns.iter().copied())
}

fn announcement(old: &PaymentRow, new: &PaymentRow, row: &[Column<'_>]) -> OutboxRow {
    let PaymentKey { account, tenant, id } = &new.key;
    let announcement = Announcement {
        account: account.as_str(),
        tenant,
        provider_v2: Some(new.gateway.as_str()),
        provider_payment_id: Some(id),
        provider_subscription_id: None,
        row_version: new.row_version,
        from: old.payment.status.as_str(),
        row,
    };
    outbox("payment.changed", (account.as_str(), tenant, id), json_text(&announcement))
}

fn subscription_announcement(old: &SubscriptionRow, new: &SubscriptionRow, row: &[Column<'_>]) -> OutboxRow {
    let SubscriptionKey { account, tenant, id } = &new.key;
    let announcement = Announcement {
        account: account.as_str(),
        tenant,
        provider_v2: None,
        provider_payment_id: None,
        provider_subscription_id: Some(id),
        row_version: new.row_version,
        from: old.subscription.base.as_str(),
        row,
    };
    outbox("subscription.changed", (account.as_str(), tenant, id), json_text(&announcement))
}

/// A row that is no more, and the one that has its facts now.
fn gone(topic: &'static str, (account, tenant, id): (&str, &str, &str), into: Option<&str>) -> OutboxRow {
    let payload = json!({"account": account, "tenant": tenant, "name": id, "into": into});
    outbox(topic, (account, tenant, id), payload.to_string())
}

/// Announcements of one thing have one key: they keep their order.
fn outbox(topic: &'static str, (account, tenant, id): (&str, &str, &str), payload: String) -> OutboxRow {
    OutboxRow { id: Uuid::now_v7(), topic, key: format!("{account}/{tenant}/{id}").into(), payload }
}

fn json_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("columns of texts, numbers and flags have a JSON text")
}

/// Old and new values by column.
struct Changes<'a>(Vec<Difference<'a>>);

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, old, new)| (name, [*old, *new])))
    }
}

/// What a change is called, and its old and new values by column.
fn change(old_version: i64, same_status: bool, before: &[Column<'_>], after: &[Column<'_>]) -> (&'static str, String) {
    let kind = match (old_version, same_status) {
        (0, _) => "created",
        (_, true) => "updated",
        (_, false) => "status_changed",
    };
    (kind, json_text(&Changes(column::difference(before, after))))
}

fn want(row: &PaymentRow, reason: WantReason, receipt: Uuid, now: Timestamp) -> WantRow {
    WantRow {
        id: Uuid::now_v7(),
        account: row.key.account.clone(),
        tenant: row.key.tenant.clone(),
        kind: WantKind::Payment,
        reference: row.key.id.clone(),
        context: None,
        reason,
        not_before: now.shifted(reason.wait_micros()),
        is_proved: true,
        receipt,
    }
}

fn fingerprint(row: &PaymentRow, kind: &str) -> String {
    format!("{kind} {} {} {}", row.key.account, row.key.tenant, row.key.id)
}

fn contradiction(row: &PaymentRow, kind: &'static str, detail: String) -> Inconsistency {
    let key = &row.key;
    Inconsistency {
        id: Uuid::now_v7(),
        kind,
        fingerprint: fingerprint(row, kind),
        account: key.account.clone(),
        entity: format!("payment {}", key.id),
        detail,
    }
}
