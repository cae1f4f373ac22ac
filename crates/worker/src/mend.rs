//! Gaps, made good from what is stored: customers from the claims, rows of a legacy application from ours. By a timer in the worker.

use std::time::Duration;

use afluente_model::{Timestamp, chain};
use afluente_store::report::OpenGaps;
use afluente_store::{GAPS_AT_ONCE, GapSubject, GapTarget, PaymentKey, Store, StoreError, Tx};
use tokio::time::Instant;
use tracing::{info, warn};
use uuid::Uuid;

use crate::followup::Followups;
use crate::people::{self, Touched};
use crate::{legacy, measure};

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
    let mut most = 0;
    for target in GapTarget::ALL {
        let gaps = store.open_gaps(target).await?;
        let now = crate::now();
        measure::open_gaps(target, gaps, now);
        if gaps.open + gaps.waiting == 0 {
            continue;
        }
        if is_old(gaps, now) {
            warn!(
                target = target.as_str(),
                open = gaps.open,
                "Gaps are older than an hour: `afluente gaps list` says why"
            );
        }
        let mended = repair(store, target).await?;
        if mended > 0 {
            info!(target = target.as_str(), mended, open = gaps.open, "Made good what was missing");
        }
        most = most.max(mended);
    }
    Ok(most)
}

fn is_old(gaps: OpenGaps, now: Timestamp) -> bool {
    gaps.oldest.is_some_and(|oldest| now.as_micros() - oldest.as_micros() > ALARM_AFTER_MICROS)
}

/// Makes the oldest open gaps of each kind good; gives how many are closed.
pub async fn repair_gaps(store: &Store) -> Result<usize, StoreError> {
    let mut closed = 0;
    for target in GapTarget::ALL {
        closed += repair(store, target).await?;
    }
    Ok(closed)
}

/// All at once, and one by one where that fails, so that one at fault holds up no other.
async fn repair(store: &Store, target: GapTarget) -> Result<usize, StoreError> {
    let now = crate::now();
    let mut tx = store.begin().await?;
    // Nobody to write beside: they wait until there is.
    if target == GapTarget::Legacy && tx.beside().is_none() {
        return tx.rollback().await.map(|()| 0);
    }
    let gaps = tx.take_gaps(target, now).await?;
    if gaps.is_empty() {
        return tx.rollback().await.map(|()| 0);
    }
    let mut closed = Vec::new();
    if again(&mut tx, target, &gaps, now).await?.is_ok() {
        closed.extend(gaps.iter().map(|(id, _)| *id));
    } else {
        for gap in &gaps {
            if again(&mut tx, target, std::slice::from_ref(gap), now).await?.is_ok() {
                closed.push(gap.0);
            }
        }
    }
    let left = tx.close_gaps(&closed, now).await?;
    tx.commit().await?;
    Ok(closed.len() - left)
}

/// One part: the inner error is the part's.
async fn again(
    tx: &mut Tx,
    target: GapTarget,
    gaps: &[(Uuid, GapSubject)],
    now: Timestamp,
) -> Result<Result<(), StoreError>, StoreError> {
    tx.begin_part().await?;
    let mut followups = Followups::by("repair");
    let written = async {
        let subjects: Vec<&GapSubject> = gaps.iter().map(|(_, subject)| subject).collect();
        match target {
            GapTarget::Legacy => {
                let names: Vec<PaymentKey> = subjects.iter().map(|subject| payment(subject)).collect();
                legacy::write(tx, &names, now, &mut followups).await?;
            }
            GapTarget::Customers => {
                let identities = tx.identities_of(&subjects).await?;
                let identities = tx.identities(&identities).await?;
                let decisions = tx.decisions_of(&subjects).await?;
                people::write(tx, &Touched::again(&subjects, identities, decisions), now, &mut followups).await?;
            }
        }
        followups.save(tx, now).await
    }
    .await;
    tx.end_part(written).await
}

fn payment(subject: &GapSubject) -> PaymentKey {
    PaymentKey { account: subject.account.clone(), tenant: subject.tenant.clone(), id: subject.id.clone() }
}
