//! A publisher that sends until it is told success, as gateways do, and a worker that acknowledges what it takes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use afluente_queue::{Queue, Settlement};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::site::{message, number, until};

/// Publishers at a time.
const PUBLISHERS: u128 = 16;

/// Traffic that flows until it is finished.
pub(crate) struct Traffic {
    acknowledged: Arc<Mutex<BTreeSet<u128>>>,
    seen: Arc<Mutex<BTreeSet<u128>>>,
    stop: watch::Sender<bool>,
    publishing: JoinSet<()>,
    working: JoinSet<()>,
}

impl Traffic {
    pub(crate) fn start(ingress: &Queue, worker: &Queue) -> Traffic {
        let stop = watch::channel(false).0;
        let (acknowledged, seen) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(Mutex::new(BTreeSet::new())));
        let (mut publishing, mut working) = (JoinSet::new(), JoinSet::new());
        for first in 0..PUBLISHERS {
            let (queue, acknowledged, stop) = (ingress.clone(), Arc::clone(&acknowledged), stop.subscribe());
            publishing.spawn(async move {
                let mut number = first;
                while !*stop.borrow() {
                    match queue.publish(message(number)).await {
                        Ok(()) => {
                            acknowledged.lock().unwrap().insert(number);
                            number += PUBLISHERS;
                        }
                        Err(_) => sleep(Duration::from_millis(20)).await,
                    }
                }
            });
        }
        let (queue, saw) = (worker.clone(), Arc::clone(&seen));
        working.spawn(async move {
            while let Ok(taken) = queue.take(64, Duration::ZERO).await {
                saw.lock().unwrap().extend(taken.iter().map(number));
                // What could not be acknowledged comes again.
                queue.settle(taken.into_iter().map(|one| (one, Settlement::Ack)).collect()).await;
            }
        });
        Traffic { acknowledged, seen, stop, publishing, working }
    }

    /// How many were told success so far.
    pub(crate) fn sent(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until so many more were told success: the traffic flows.
    pub(crate) async fn flows(&self) {
        let enough = self.sent() + 300;
        until("the traffic flows", async || self.sent() >= enough).await;
    }

    /// Stops sending and waits until everything that was told success has come.
    pub(crate) async fn arrives(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.publishing.join_next().await {
            ended.unwrap();
        }
        let lacking = || self.acknowledged.lock().unwrap().difference(&self.seen.lock().unwrap()).count();
        until("everything arrives", async || lacking() == 0).await;
        self.working.shutdown().await;
    }
}
