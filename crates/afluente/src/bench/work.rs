//! Queue to committed ledger: deliveries a second of one worker, with a queue filled beforehand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use afluente_gateways::adapter;
use afluente_model::{Delivery, DeliveryId, Gateway, MerchantName, Proof};
use afluente_queue::{EmbeddedOptions, Queue, SealKey, SealKeys};
use afluente_store::Store;
use afluente_worker::{Account, Accounts, Pulse, Settings, Worker};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::Figure;
use super::body::{BenchAccount, event};
use crate::exit::Failure;

/// Fills a queue, then lets one worker empty it.
#[allow(clippy::cast_precision_loss, reason = "for display")]
pub(super) async fn measure(deliveries: usize) -> Result<Figure, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::unavailable(&error))?;
    let queue = Queue::open_embedded(EmbeddedOptions { limit_bytes: 8 << 30, ..EmbeddedOptions::new(folder.path()) })?;
    let store = Store::open(folder.path()).await?;
    let account = BenchAccount::new()?;
    let keys = Arc::new(SealKeys::new(SealKey::from_bytes([7; 32]), []));
    fill(&queue, &account, &keys, deliveries).await?;
    let (_accounts, accounts) = watch::channel(Arc::new(accounts(&account)?));
    let pulse = Arc::new(Pulse::default());
    let settings = Settings::default();
    let worker =
        Worker { queue: queue.clone(), store: store.clone(), keys, accounts, settings, pulse: Arc::clone(&pulse) };
    let (stop, stopped) = oneshot::channel::<()>();
    let started = Instant::now();
    let task = tokio::spawn(afluente_worker::run(worker, async move {
        let _ = stopped.await;
    }));
    while pulse.handled() < deliveries as u64 && !task.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let took = started.elapsed().as_secs_f64();
    drop(stop);
    let _ = task.await;
    let counts = store.counts().await?;
    queue.close().await;
    store.close().await;
    Ok(Figure {
        what: format!("worker, queue to committed SQLite ledger, {deliveries} deliveries"),
        rate: deliveries as f64 / took,
        unit: "deliveries/s",
        p50_ms: None,
        p99_ms: None,
        compared: Some(format!("{} receipts, {} payments, {} facts", counts.receipts, counts.payments, counts.facts)),
    })
}

async fn fill(queue: &Queue, account: &BenchAccount, keys: &Arc<SealKeys>, deliveries: usize) -> Result<(), Failure> {
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..deliveries {
        let delivery = Delivery {
            id: DeliveryId(Uuid::now_v7()),
            gateway: Gateway::Stripe,
            account: account.name.clone(),
            received_at: afluente_worker::now(),
            proof: Proof::Signed { secret: account.secret.name().clone() },
            headers: Vec::new(),
            query: None,
            traceparent: None,
            released_by: None,
            body: event(number).into(),
        };
        let (queue, sealed) = (queue.clone(), keys.seal(&delivery));
        waiting.spawn(async move { queue.publish(sealed).await });
        if waiting.len() >= 256 {
            published(waiting.join_next().await)?;
        }
    }
    while let Some(done) = waiting.join_next().await {
        published(Some(done))?;
    }
    Ok(())
}

fn published(
    done: Option<Result<Result<(), afluente_queue::PublishError>, tokio::task::JoinError>>,
) -> Result<(), Failure> {
    match done {
        Some(Ok(Err(error))) => Err(Failure::unavailable(&error)),
        Some(Err(error)) => Err(Failure::unavailable(&error)),
        Some(Ok(Ok(()))) | None => Ok(()),
    }
}

fn accounts(account: &BenchAccount) -> Result<Accounts, Failure> {
    let adapter = adapter(Gateway::Stripe).ok_or_else(|| Failure::Unavailable("no adapter for Stripe".to_owned()))?;
    let merchant = MerchantName::parse("bench").map_err(|error| Failure::unavailable(&error))?;
    let known = Account { gateway: Gateway::Stripe, merchant, adapter, view: account.view.clone(), replaces: None };
    Ok(Accounts(BTreeMap::from([(account.name.clone(), known)])))
}
