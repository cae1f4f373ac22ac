//! Four workers that meet on the same people: whoever is first shows in nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_store::{GapTarget, StoreOptions};
use afluente_worker::{Pulse, Settings, Worker, repair_gaps, run};
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::suite::bench::Bench;
use crate::suite::people::{agrees_with_the_law, everything_said, hand_over, lined_up, orders, people};

const WORKERS: u32 = 4;
/// Longer than a batch that met others waits to go again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets four workers take everything that is queued, and ends them.
async fn work_through(bench: &Bench, deliveries: usize) {
    let (stop, _) = watch::channel(false);
    let (_, accounts) = watch::channel(Arc::clone(&bench.accounts));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let worker = Worker {
            queue: bench.queue.clone(),
            store: bench.store.clone(),
            keys: Arc::clone(&bench.keys),
            accounts: accounts.clone(),
            settings: Settings { batch_size: 5, linger: Duration::ZERO, ..Settings::default() },
            pulse: Arc::new(Pulse::default()),
        };
        let mut stop = stop.subscribe();
        workers.spawn(run(worker, async move {
            let _ = stop.wait_for(|stop| *stop).await;
        }));
    }
    let waited = Instant::now();
    let written = "select cast(count(*) as text) from webhook_receipts";
    while bench.ledger.text(written).await != deliveries.to_string() {
        assert!(waited.elapsed() < PATIENCE, "{} of {deliveries}", bench.ledger.text(written).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    while let Some(ended) = workers.join_next().await {
        ended.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_that_meet_on_the_same_people_end_where_one_does() {
    let mut random = StdRng::seed_from_u64(4);
    let mut history = everything_said(&mut random);
    let alone = lined_up(StoreOptions::default()).await;
    hand_over(&alone, &history, 1).await;
    let expected = people(&alone).await;
    for order in 0..orders().div_ceil(4) {
        history.shuffle(&mut random);
        let bench = lined_up(StoreOptions { connections: WORKERS + 2, ..StoreOptions::default() }).await;
        for one in &history {
            bench.queue.publish(bench.keys.seal(one)).await.unwrap();
        }
        work_through(&bench, history.len()).await;
        // Two that move one customer may meet; what is taken back then is made again.
        while repair_gaps(&bench.store).await.unwrap() > 0 {}
        assert_eq!(bench.store.open_gaps(GapTarget::Customers).await.unwrap().open, 0);
        agrees_with_the_law(&bench).await;
        assert_eq!(people(&bench).await, expected, "order {order}");
    }
}
