//! The whole way, from the queue into the ledger, cut at any step: what was acknowledged is in one of the two, and the rows at
//! the end are the ones that are known to be true.

use std::sync::Arc;
use std::time::Duration;

use afluente_proof::Counts;
use afluente_queue::{Depth, EmbeddedOptions, Queue};
use afluente_simulate::Traffic;
use afluente_store::{LEDGER_FILE, Location, Store, StoreError};
use afluente_worker::run;
use rand::RngExt;
use tokio::sync::watch;

use crate::sender::{Sender, empty_ledger, worker};
use crate::site::{Site, Twin, block_on, cuts};

/// Sends and works until the power goes, or all was sent and worked on.
async fn live(site: &mut Site, sender: &mut Sender) {
    let (folder, disk) = (site.path().to_owned(), Arc::clone(&site.disk));
    let batch_size = [1, 3, 16][site.rng.random_range(0..3)];
    let Ok(store) = Store::open(Location::Folder(folder.clone())).await else { return };
    if let Ok(queue) = Queue::open_embedded(EmbeddedOptions::new(&folder)) {
        let worker = worker(&queue, &store, sender, batch_size);
        let (done, mut is_done) = watch::channel(false);
        let works = run(worker, async move {
            let _ = is_done.wait_for(|done| *done).await;
        });
        let sends = async {
            sender.send(&queue, &disk).await;
            while disk.is_on() && queue.depth().is_some_and(|held| held.total() != Depth::default()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            done.send_replace(true);
        };
        let _ = tokio::join!(works, sends);
        queue.close().await;
    }
    store.close().await;
    if store.ping().await.is_err_and(|error| matches!(error, StoreError::Doubted { .. })) {
        // It stays open until its process ends.
        site.disk.kill().unwrap();
    }
}

fn history(seed: u64, twin: Twin) -> Result<Counts, String> {
    let mut site = Site::new(seed, twin);
    let (mut sender, Traffic { posts, truth, .. }) = Sender::new(seed, 4);
    std::fs::copy(empty_ledger().join(LEDGER_FILE), site.path().join(LEDGER_FILE))
        .map_err(|error| error.to_string())?;
    let location = Location::Folder(site.path().to_owned());
    let mut cut = 0;
    loop {
        let fault = |error: String| format!("seed {seed}, cut {cut}: {error}");
        site.plan_a_cut();
        block_on(live(&mut site, &mut sender));
        let is_over = site.disk.is_on() && sender.answered.len() == posts.len();
        site.disk.power_on().map_err(|error| fault(error.to_string()))?;
        block_on(sender.keeps(&location)).map_err(fault)?;
        cut += 1;
        if is_over {
            break;
        }
    }
    block_on(sender.is_true(&location, &posts, &truth)).map_err(|fault| format!("seed {seed}: {fault}"))?;
    Ok(site.disk.counts())
}

#[test]
fn no_cut_at_any_step_loses_what_was_acknowledged_and_the_rows_at_the_end_are_the_true_ones() {
    cuts(240, 10_000, 36, |seed| history(seed, Twin::None));
}

#[test]
fn a_ledger_that_does_not_sync_its_commits_is_noticed() {
    crate::site::noticed("queue and ledger, synchronous=NORMAL", |seed| history(seed, Twin::SyncsNoCommit));
}
