//! The ledger's statements alone: rows of the same shape as the worker's, made beforehand, and no reading and no fold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_model::{
    AccountName, Amount, CaptureKind, Currency, Delivery, DeliveryId, Detail, Fact, Gateway, Incoming, PaymentKind,
    Proof, SecretName, Source, Timestamp,
};
use afluente_store::{
    EventRow, FactRow, NewPayment, OutboxRow, PaymentKey, PaymentRow, Receipt, ReceiptState, Store, StoreError,
};
use afluente_worker::Accounts;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::body::event;
use super::worker::far_apart;
use crate::exit::Failure;

/// One delivery's rows.
struct Rows {
    receipt: Receipt,
    key: PaymentKey,
    fact: afluente_model::PaymentFact,
}

/// Writes the rows of so many deliveries in batches from so many tasks; how long that takes.
pub(super) async fn measure(
    store: &Store,
    accounts: &Accounts,
    workers: usize,
    batch: usize,
    deliveries: usize,
) -> Result<Duration, Failure> {
    let now = afluente_worker::now();
    let mut tx = store.begin().await?;
    tx.save_accounts(&accounts.rows(), now).await?;
    tx.commit().await?;
    let account = accounts.rows().remove(0).name;
    let rows = (0..deliveries).map(|n| rows(&account, far_apart(n, deliveries), now)).collect::<Result<Vec<_>, _>>()?;
    let mut batches: Vec<Vec<Vec<Rows>>> = (0..workers).map(|_| Vec::new()).collect();
    let mut rows = rows.into_iter().peekable();
    let mut turn = 0;
    while rows.peek().is_some() {
        batches[turn % workers].push(rows.by_ref().take(batch).collect());
        turn += 1;
    }
    let (started, mut tasks) = (Instant::now(), JoinSet::new());
    for share in batches {
        let store = store.clone();
        tasks.spawn(async move {
            for batch in share {
                while let Err(error) = write(&store, &batch, now).await {
                    if error.class() != afluente_store::Class::Contended {
                        return Err(error);
                    }
                }
            }
            Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(|error| Failure::unavailable(&error))??;
    }
    Ok(started.elapsed())
}

fn rows(account: &AccountName, number: usize, now: Timestamp) -> Result<Rows, Failure> {
    let bad = |error: &dyn std::error::Error| Failure::unavailable(error);
    let body = Bytes::from(event(number));
    let amount = Amount::new(10_990).map_err(|error| bad(&error))?;
    let currency = Currency::parse("BRL").map_err(|error| bad(&error))?;
    let delivery = Delivery {
        id: DeliveryId(Uuid::now_v7()),
        gateway: Gateway::Stripe,
        account: account.clone(),
        received_at: now,
        proof: Proof::Signed { secret: SecretName::of(b"secret") },
        headers: Vec::new(),
        query: None,
        traceparent: None,
        released_by: None,
        body,
    };
    let receipt = Receipt {
        id: Uuid::now_v7(),
        event: Some(format!("snapshot:evt_bench{number:010}").into()),
        event_type: "payment_intent.succeeded".into(),
        state: ReceiptState::Applied,
        ignored_because: None,
        notes: None,
        body_hash: Sha256::digest(&delivery.body).into(),
        incoming: Incoming::Delivery(delivery),
    };
    let key =
        PaymentKey { account: account.clone(), tenant: "".into(), id: format!("pi_bench{:09}", number / 4).into() };
    let op = format!("ch_bench{number:09}");
    let fact = Fact::new(PaymentKind::Capture(CaptureKind::Succeeded), &op, Some(now), Source::Webhook)
        .money(Some(amount), Some(currency))
        .detail(Detail::word("succeeded"));
    Ok(Rows { receipt, key, fact })
}

/// What a worker's transaction does, without knowing what any of it means.
async fn write(store: &Store, batch: &[Rows], now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let receipts: Vec<Receipt> = batch.iter().map(|rows| rows.receipt.clone()).collect();
    tx.claim(&receipts, now).await?;
    let mut names: Vec<PaymentKey> = batch.iter().map(|rows| rows.key.clone()).collect();
    names.sort_unstable();
    names.dedup();
    tx.lock_names(&names, now).await?;
    let make: Vec<NewPayment> = names
        .into_iter()
        .map(|key| NewPayment { id: Uuid::now_v7(), key, gateway: Gateway::Stripe, identity: None })
        .collect();
    let locked = tx.lock_payments(&make, &[], now).await?;
    let by_key: std::collections::HashMap<&PaymentKey, Uuid> = locked.iter().map(|row| (&row.key, row.id)).collect();
    let fact = |rows: &Rows| FactRow {
        payment: by_key.get(&rows.key).copied().unwrap_or_default(),
        named: rows.key.id.clone(),
        fact: rows.fact.clone(),
        receipt: rows.receipt.id,
    };
    let facts: Vec<FactRow> = batch.iter().map(fact).collect();
    tx.add_facts(&facts, now).await?;
    let ids: Vec<Uuid> = locked.iter().map(|row| row.id).collect();
    tx.facts_of(&ids).await?;
    let changed = |row: &PaymentRow| PaymentRow { row_version: row.row_version + 1, updated_at: now, ..row.clone() };
    let changed: Vec<PaymentRow> = locked.iter().map(changed).collect();
    tx.save_payments(&changed).await?;
    let actor: Arc<str> = "bench".into();
    let events: Vec<EventRow> = changed.iter().map(|row| told(row, &actor)).collect();
    tx.add_events(&events, now).await?;
    let outbox: Vec<OutboxRow> = changed.iter().map(announced).collect();
    tx.add_outbox(&outbox, now).await?;
    tx.commit().await
}

/// About what a change of status says of itself.
const DETAIL: &str =
    r#"{"status_v2":["PENDING","SUCCEEDED"],"captured_amount":[0,10990],"capture_state":["NONE","FULL"]}"#;

fn told(row: &PaymentRow, actor: &str) -> EventRow {
    EventRow {
        id: Uuid::now_v7(),
        entity_type: "payment",
        entity: row.id,
        row_version: row.row_version,
        kind: "changed",
        detail: DETAIL.to_owned(),
        receipt: None,
        actor: actor.into(),
    }
}

fn announced(row: &PaymentRow) -> OutboxRow {
    OutboxRow { id: Uuid::now_v7(), topic: "payment.changed", key: row.key.id.clone(), payload: DETAIL.repeat(5) }
}
