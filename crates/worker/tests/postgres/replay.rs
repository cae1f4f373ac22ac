//! Several operators at the desk of dead letters, each on a machine of his own.

use std::collections::BTreeSet;
use std::time::Duration;

use afluente_queue::{EmbeddedOptions, Queue};
use afluente_store::Store;
use afluente_store::report::DeadFilter;
use afluente_worker::desk::{Replay, Replayed, discard};
use uuid::Uuid;

use crate::suite::bench::Bench;

/// How many letters lie there.
const LETTERS: usize = 40;

/// One who replays, with a connection and a queue of his own.
struct Operator {
    store: Store,
    queue: Queue,
    _folder: tempfile::TempDir,
}

impl Operator {
    async fn new(bench: &Bench) -> Operator {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::open_embedded(EmbeddedOptions::new(folder.path())).unwrap();
        Operator { store: Store::open(bench.ledger.location()).await.unwrap(), queue, _folder: folder }
    }

    async fn replay(&self, bench: &Bench) -> Replayed {
        let letters = self.store.dead_letters(&DeadFilter { limit: 100, ..DeadFilter::default() }).await.unwrap();
        let replay =
            Replay { store: &self.store, queue: &self.queue, keys: &bench.keys, by: "ana", pause: Duration::ZERO };
        replay.run(&letters, std::future::pending()).await.unwrap()
    }

    async fn published(&self) -> BTreeSet<Uuid> {
        let taken = self.queue.take(LETTERS, Duration::ZERO);
        // Nothing comes from a queue that is empty.
        let taken = tokio::time::timeout(Duration::from_millis(200), taken).await;
        taken.map_or_else(|_| BTreeSet::new(), |taken| taken.unwrap().iter().map(|one| one.id().0).collect())
    }
}

async fn bench_with_letters() -> Bench {
    let bench = Bench::new().await;
    let cut_off = (0..LETTERS).map(|number| bench.sealed("shop", &format!("{{\"id\":\"evt_{number}\""))).collect();
    bench.handle(cut_off, true).await;
    assert_eq!(bench.dead().await.len(), LETTERS);
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn each_letter_is_replayed_by_one_of_those_who_replay_at_once() {
    let bench = bench_with_letters().await;
    let operators = [Operator::new(&bench).await, Operator::new(&bench).await, Operator::new(&bench).await];
    let reports = futures_util::future::join_all(operators.iter().map(|operator| operator.replay(&bench))).await;
    let mut replayed = BTreeSet::new();
    for (operator, report) in operators.iter().zip(&reports) {
        assert_eq!(report.failed, []);
        let published = operator.published().await;
        assert_eq!(published.len(), report.replayed.len(), "published what another replayed");
        assert!(published.is_disjoint(&replayed));
        replayed.extend(published);
    }
    assert_eq!(replayed.len(), LETTERS);
    assert_eq!(bench.dead().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_gives_up_another_does_not_replay_and_the_other_way_round() {
    let bench = bench_with_letters().await;
    let operator = Operator::new(&bench).await;
    let letters = bench.store.dead_letters(&DeadFilter { limit: 100, ..DeadFilter::default() }).await.unwrap();
    let ids: Vec<Uuid> = letters.iter().map(|letter| letter.id).collect();
    let (report, given_up) = tokio::join!(operator.replay(&bench), async {
        let mut given_up = Vec::new();
        for id in ids.iter().rev() {
            given_up.extend(discard(&bench.store, &[*id], "rui", "cut off by the sender").await.unwrap());
        }
        given_up
    });
    assert_eq!(report.replayed.len() + given_up.len(), LETTERS);
    assert_eq!(operator.published().await.len(), report.replayed.len());
}
