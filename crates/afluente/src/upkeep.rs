//! What a ledger needs now and then: partitions ahead of time, an alarm for what fell beside them, an end for questions that
//! answered themselves, and a look at what waits for a person.

use std::time::{Duration, Instant};

use afluente_model::chain;
use afluente_store::{Place, Store, StoreError};
use metrics::{describe_gauge, gauge};
use tokio::sync::Mutex;
use tracing::{debug, error, info, warn};

use crate::control::Desk;
use crate::dead::open::OpenLetters;

/// Partitions are made weeks ahead: an hour is early enough, and soon enough for the alarm.
const PARTITIONS_EVERY: Duration = Duration::from_secs(3_600);
/// Questions wait for minutes before they are asked.
const WANTS_EVERY: Duration = Duration::from_secs(30);
/// Those that were not answered when they became due are looked at again.
const WANTS_AGAIN: Duration = Duration::from_secs(600);
/// After a look that failed.
const AGAIN: Duration = Duration::from_secs(30);

/// Looks until `stop` ends. A ledger that is away is the worker's to tell; this looks again.
pub(crate) async fn run(desk: Desk, stop: impl Future<Output = ()>) {
    let store = desk.store.clone();
    describe_gauge!(
        "afluente_ledger_stray_rows",
        "Rows whose ids no partition was made for, at most 1,000 a table; not 0 means a wrong clock"
    );
    let partitions = again_and_again(|| look_after_partitions(&store));
    let progress = Mutex::new(Progress { after: None, since: Instant::now() });
    let wants = again_and_again(|| close_known_wants(&store, &progress));
    tokio::select! {
        () = stop => {}
        () = partitions => {}
        () = wants => {}
        () = OpenLetters::new(desk).run() => {}
    }
}

/// Never ends; each time says how long to wait.
async fn again_and_again<F: Future<Output = Duration>>(each: impl Fn() -> F) {
    loop {
        tokio::time::sleep(each().await).await;
    }
}

async fn look_after_partitions(store: &Store) -> Duration {
    match store.keep_partitions().await {
        Ok(upkeep) => {
            gauge!("afluente_ledger_stray_rows").set(f64::from(u32::try_from(upkeep.stray).unwrap_or(u32::MAX)));
            if upkeep.made > 0 {
                info!(made = upkeep.made, "Made partitions of the coming weeks");
            }
            if upkeep.stray > 0 {
                error!(rows = upkeep.stray, "Rows lie beside every partition: a clock is wrong; see `afluente doctor`");
            }
            PARTITIONS_EVERY
        }
        Err(error) => {
            warn!(error = %chain(&error), "Could not look after the partitions; again in a moment");
            AGAIN
        }
    }
}

/// Closes questions that answered themselves. Each is looked at once it is due; all that are still open again after a while.
async fn close_known_wants(store: &Store, progress: &Mutex<Progress>) -> Duration {
    match look_at_wants(store, progress).await {
        Ok(0) => {}
        Ok(closed) => debug!(closed, "Closed questions that answered themselves"),
        Err(error) => warn!(error = %chain(&error), "Could not look after open questions; again in a moment"),
    }
    WANTS_EVERY
}

/// How far the look at open questions has come, and since when.
struct Progress {
    after: Option<Place>,
    since: Instant,
}

async fn look_at_wants(store: &Store, progress: &Mutex<Progress>) -> Result<u64, StoreError> {
    let mut progress = progress.lock().await;
    if progress.since.elapsed() > WANTS_AGAIN {
        *progress = Progress { after: None, since: Instant::now() };
    }
    let mut all = 0;
    loop {
        let mut tx = store.begin().await?;
        let (closed, last) = tx.close_known_wants(progress.after, afluente_worker::now()).await?;
        tx.commit().await?;
        all += closed;
        if last.is_none() {
            return Ok(all);
        }
        progress.after = last;
    }
}
