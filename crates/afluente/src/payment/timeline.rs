//! How a payment came to be what it is: receipt by receipt, the facts each brought and what they changed.

use afluente_gateways::adapter;
use afluente_model::{Kind, PaymentKind, fold, project};
use afluente_store::report::{EventView, ReceiptView};
use afluente_store::{PaymentRow, Store, StoreError, StoredFact};
use afluente_worker::column;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::event::change_json;
use crate::output;
use crate::payment::row_json;

/// The facts of a payment in the order they were learned, in groups of one receipt.
pub(crate) struct Timeline {
    steps: Vec<Step>,
    events: Vec<EventView>,
}

struct Step {
    receipt: Uuid,
    view: Option<ReceiptView>,
    facts: Vec<StoredFact<PaymentKind>>,
    changes: Vec<(&'static str, Value, Value)>,
}

impl Timeline {
    pub(crate) async fn read(store: &Store, row: &PaymentRow) -> Result<Timeline, StoreError> {
        let facts = store.payment_facts(row.id).await?;
        let mut receipts = store.payment_receipts(row.id).await?;
        let conventions = adapter(row.gateway).profile().conventions;
        let mut steps: Vec<Step> = group(facts);
        let mut known = Vec::new();
        let mut before = project(&fold(&known), conventions);
        for step in &mut steps {
            known.extend(step.facts.iter().map(|stored| stored.fact.clone()));
            let after = project(&fold(&known), conventions);
            let changes = column::difference(&column::of_payment(&before), &column::of_payment(&after));
            step.changes = changes.into_iter().map(|(name, old, new)| (name, old.into(), new.into())).collect();
            step.view =
                receipts.iter().position(|view| view.id == step.receipt).map(|index| receipts.swap_remove(index));
            before = after;
        }
        Ok(Timeline { steps, events: store.events_of("payment", row.id).await? })
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let what = match &step.view {
                Some(view) => format!(
                    "{}  {}  {}  {} by {}, {}",
                    view.received_at,
                    view.event_type,
                    view.event_id.as_deref().unwrap_or("-"),
                    view.proof,
                    view.proved_by.as_deref().unwrap_or("-"),
                    output::count(view.deliveries, "delivery").replace("deliverys", "deliveries"),
                ),
                None => "receipt no longer held".to_owned(),
            };
            text.push_str(&format!("\n{what}\n  receipt {}\n", step.receipt));
            if let Some(notes) = step.view.as_ref().and_then(|view| view.notes.as_ref()) {
                text.push_str(&format!("  noted: {notes}\n"));
            }
            let facts = step.facts.iter().map(fact_row);
            let table = output::table(&["  FACT", "OPERATION", "AT", "AMOUNT", "DETAIL"], &[3], facts);
            text.push_str(&table);
            let changes = step.changes.iter().map(|(name, old, new)| format!("{name} {} → {}", plain(old), plain(new)));
            let changes: Vec<String> = changes.collect();
            let changes = if changes.is_empty() { "nothing".to_owned() } else { changes.join(", ") };
            text.push_str(&format!("  changed: {changes}\n"));
        }
        let versions = self.events.iter().map(|event| {
            vec![
                format!("  {}", event.row_version),
                event.recorded_at.to_string(),
                event.kind.clone(),
                event.actor.clone(),
            ]
        });
        text.push('\n');
        text.push_str(&output::table(&["  VERSION", "WRITTEN", "EVENT", "BY"], &[], versions));
        text
    }

    pub(crate) fn json(&self, row: &PaymentRow) -> Value {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                json!({
                    "receipt": step.receipt.to_string(),
                    "received_at": step.view.as_ref().map(|view| view.received_at.to_string()),
                    "event_type": step.view.as_ref().map(|view| &view.event_type),
                    "event_id": step.view.as_ref().and_then(|view| view.event_id.as_ref()),
                    "proof": step.view.as_ref().map(|view| &view.proof),
                    "proved_by": step.view.as_ref().and_then(|view| view.proved_by.as_ref()),
                    "notes": step.view.as_ref().and_then(|view| view.notes.as_ref()).and_then(|notes| serde_json::from_str::<Value>(notes).ok()),
                    "deliveries": step.view.as_ref().map(|view| view.deliveries),
                    "facts": step.facts.iter().map(fact_json).collect::<Vec<_>>(),
                    "changed": step.changes.iter().map(|(name, old, new)| json!({"column": name, "from": old, "to": new})).collect::<Vec<_>>(),
                })
            })
            .collect();
        let events: Vec<Value> = self.events.iter().map(change_json).collect();
        json!({"payment": row_json(row), "timeline": steps, "events": events})
    }
}

/// Facts of one receipt were recorded together, so neighbours of one receipt are one step.
fn group(facts: Vec<StoredFact<PaymentKind>>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for fact in facts {
        match steps.last_mut().filter(|step| step.receipt == fact.receipt) {
            Some(step) => step.facts.push(fact),
            None => steps.push(Step { receipt: fact.receipt, view: None, facts: vec![fact], changes: Vec::new() }),
        }
    }
    steps
}

fn fact_row(stored: &StoredFact<PaymentKind>) -> Vec<String> {
    let fact = &stored.fact;
    let amount = match (fact.amount, fact.currency) {
        (Some(amount), Some(currency)) => format!("{amount} {currency}"),
        (Some(amount), None) => amount.to_string(),
        (None, _) => "-".to_owned(),
    };
    let detail: Vec<String> = fact.detail.iter().map(|(key, value)| format!("{key}={value}")).collect();
    vec![
        format!("  {}.{}", fact.kind.family(), fact.kind.word()),
        fact.op.to_string(),
        fact.at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
        amount,
        detail.join(" "),
    ]
}

fn fact_json(stored: &StoredFact<PaymentKind>) -> Value {
    let fact = &stored.fact;
    let detail: serde_json::Map<String, Value> =
        fact.detail.iter().map(|(key, value)| (key.as_str().to_owned(), json!(value))).collect();
    json!({
        "key": stored.key.to_string(),
        "family": fact.kind.family(),
        "kind": fact.kind.word(),
        "op": &*fact.op,
        "at": fact.at.map(|at| at.to_string()),
        "op_at": fact.op_at.map(|at| at.to_string()),
        "amount": fact.amount.map(afluente_model::Amount::minor),
        "currency": fact.currency.map(|currency| currency.to_string()),
        "source": fact.source.as_str(),
        "detail": detail,
        "named": &*stored.named,
        "recorded_at": stored.recorded_at.to_string(),
    })
}

/// A value without JSON's quotes; nothing is a dash.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
