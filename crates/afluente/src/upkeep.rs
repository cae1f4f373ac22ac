//! What a ledger on a server needs now and then: partitions ahead of time, and an alarm for what fell beside them.

use std::time::Duration;

use afluente_model::chain;
use afluente_store::Store;
use metrics::{describe_gauge, gauge};
use tracing::{error, info, warn};

/// Partitions are made weeks ahead: an hour is early enough, and soon enough for the alarm.
const EVERY: Duration = Duration::from_secs(3_600);
/// After a look that failed.
const AGAIN: Duration = Duration::from_secs(30);

/// Looks until `stop` ends. A ledger that is away is the worker's to tell; this looks again.
pub(crate) async fn run(store: Store, stop: impl Future<Output = ()>) {
    describe_gauge!(
        "afluente_ledger_stray_rows",
        "Rows whose ids no partition was made for, at most 1,000 a table; not 0 means a wrong clock"
    );
    tokio::pin!(stop);
    loop {
        let wait = look(&store).await;
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn look(store: &Store) -> Duration {
    match store.keep_partitions().await {
        Ok(upkeep) => {
            gauge!("afluente_ledger_stray_rows").set(f64::from(u32::try_from(upkeep.stray).unwrap_or(u32::MAX)));
            if upkeep.made > 0 {
                info!(made = upkeep.made, "Made partitions of the coming weeks");
            }
            if upkeep.stray > 0 {
                error!(rows = upkeep.stray, "Rows lie beside every partition: a clock is wrong; see `afluente doctor`");
            }
            EVERY
        }
        Err(error) => {
            warn!(error = %chain(&error), "Could not look after the partitions; again in a moment");
            AGAIN
        }
    }
}
