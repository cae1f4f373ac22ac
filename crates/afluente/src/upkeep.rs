//! What a ledger needs now and then: partitions ahead of time, an alarm for what fell beside them, and an end for questions
//! that answered themselves.

use std::time::Duration;

use afluente_model::chain;
use afluente_store::{Store, StoreError};
use metrics::{describe_gauge, gauge};
use tracing::{debug, error, info, warn};

/// Partitions are made weeks ahead: an hour is early enough, and soon enough for the alarm.
const PARTITIONS_EVERY: Duration = Duration::from_secs(3_600);
/// Questions wait for minutes before they are asked.
const WANTS_EVERY: Duration = Duration::from_secs(30);
/// After a look that failed.
const AGAIN: Duration = Duration::from_secs(30);

/// Looks until `stop` ends. A ledger that is away is the worker's to tell; this looks again.
pub(crate) async fn run(store: Store, stop: impl Future<Output = ()>) {
    describe_gauge!(
        "afluente_ledger_stray_rows",
        "Rows whose ids no partition was made for, at most 1,000 a table; not 0 means a wrong clock"
    );
    let partitions = again_and_again(|| look_after_partitions(&store));
    let wants = again_and_again(|| close_known_wants(&store));
    tokio::select! {
        () = stop => {}
        () = partitions => {}
        () = wants => {}
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

async fn close_known_wants(store: &Store) -> Duration {
    let closing = async {
        let mut tx = store.begin().await?;
        let closed = tx.close_known_wants(afluente_worker::now()).await?;
        tx.commit().await?;
        Ok::<u64, StoreError>(closed)
    };
    match closing.await {
        Ok(closed) => debug!(closed, "Closed questions that answered themselves"),
        Err(error) => warn!(error = %chain(&error), "Could not look after open questions; again in a moment"),
    }
    WANTS_EVERY
}
