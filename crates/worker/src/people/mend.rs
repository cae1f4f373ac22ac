//! Gaps in customers, made again from the claims: by a timer in the worker.

use std::time::Duration;

use afluente_model::{Timestamp, chain};
use afluente_store::report::OpenGaps;
use afluente_store::{GAPS_AT_ONCE, GapSubject, GapTarget, Store, StoreError, Tx};
use tokio::time::Instant;
use tracing::{info, warn};
use uuid::Uuid;

use super::Touched;
use crate::followup::Followups;
use crate::measure;

/// How often gaps are looked for.
const EVERY: Duration = Duration::from_secs(5);
/// A gap that is older tells that its cause does not go away by itself.
const ALARM_AFTER_MICROS: i64 = 3_600 * 1_000_000;

/// When gaps are looked for next.
pub(crate) struct Mender {
    due: Instant,
}

impl Mender {
    pub(crate) fn new() -> Mender {
        Mender { due: Instant::now() + EVERY }
    }

    /// Ends when it is time.
    pub(crate) fn due(&self) -> impl Future<Output = ()> + use<> {
        tokio::time::sleep_until(self.due)
    }

    /// Makes again what is open; what fails once more stays open.
    pub(crate) async fn mend(&mut self, store: &Store) {
        self.due = Instant::now() + EVERY;
        match look(store).await {
            Ok(mended) if mended == GAPS_AT_ONCE => self.due = Instant::now(),
            Ok(_) => {}
            Err(error) => warn!(error = %chain(&error), "Cannot look for gaps; trying on"),
        }
    }
}

async fn look(store: &Store) -> Result<usize, StoreError> {
    let gaps = store.open_gaps(GapTarget::Customers).await?;
    let now = crate::now();
    measure::open_gaps(GapTarget::Customers, gaps, now);
    if gaps.open == 0 {
        return Ok(0);
    }
    if is_old(gaps, now) {
        warn!(open = gaps.open, "Customers have gaps older than an hour: dual_write_gaps says why");
    }
    let mended = repair(store).await?;
    info!(mended, open = gaps.open, "Made again what was missing of customers");
    Ok(mended)
}

fn is_old(gaps: OpenGaps, now: Timestamp) -> bool {
    gaps.oldest.is_some_and(|oldest| now.as_micros() - oldest.as_micros() > ALARM_AFTER_MICROS)
}

/// Makes the oldest open gaps again: all at once, and one by one where that fails, so that one at fault holds up no other. Gives
/// how many are closed.
pub async fn repair(store: &Store) -> Result<usize, StoreError> {
    let now = crate::now();
    let mut tx = store.begin().await?;
    let gaps = tx.take_gaps(GapTarget::Customers).await?;
    let mut closed = Vec::new();
    if again(&mut tx, &gaps, now).await?.is_ok() {
        closed.extend(gaps.iter().map(|(id, _)| *id));
    } else {
        for gap in &gaps {
            if again(&mut tx, std::slice::from_ref(gap), now).await?.is_ok() {
                closed.push(gap.0);
            }
        }
    }
    tx.close_gaps(&closed, now).await?;
    tx.commit().await?;
    Ok(closed.len())
}

/// One part: the inner error is the part's.
async fn again(tx: &mut Tx, gaps: &[(Uuid, GapSubject)], now: Timestamp) -> Result<Result<(), StoreError>, StoreError> {
    tx.begin_part().await?;
    let mut followups = Followups::by("repair");
    let written = async {
        let subjects: Vec<&GapSubject> = gaps.iter().map(|(_, subject)| subject).collect();
        let identities = tx.identities_of(&subjects).await?;
        super::write(tx, &Touched::again(&subjects, identities), now, &mut followups).await?;
        followups.save(tx, now).await
    }
    .await;
    tx.end_part(written).await
}
