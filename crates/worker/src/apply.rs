//! One transaction for a batch: dead letters, receipts, and what the readings among them say.

use std::collections::HashSet;

use afluente_model::{Source, Timestamp};
use afluente_store::people::claimed_of_payments;
use afluente_store::{
    ClaimRow, Claimed, DeadLetter, PaymentKey, Receipt, ReceiptState, Reread, StoreError, Switch, Tx,
};
use uuid::Uuid;

use crate::entry::Entry;
use crate::followup::Followups;
use crate::outcome::Outcome;
use crate::people::{self, Touched};
use crate::prepare::{Good, Prepared};
use crate::{legacy, payments, subscriptions};

/// Writes a batch. One outcome for each, in the order of the batch.
pub(crate) async fn apply(tx: &mut Tx, batch: &[&Prepared], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
    let letters: Vec<DeadLetter> = batch.iter().filter_map(|one| one.dead()).cloned().collect();
    tx.bury(&letters, now).await?;
    let good: Vec<&Good> = batch.iter().filter_map(|one| one.good()).collect();
    let receipts: Vec<Receipt> = good.iter().map(|good| good.receipt.clone()).collect();
    let claimed = tx.claim(&receipts, now).await?;
    let standings = Standing::of_all(&good, &claimed);
    let mut followups = Followups::by("worker");
    let (mut entries, mut reread) = (Vec::new(), Vec::new());
    for (good, standing) in good.iter().zip(&standings) {
        match *standing {
            Standing::First => entries.push(good.entry(good.receipt.id)),
            Standing::Revived(receipt) => {
                entries.push(good.entry(receipt));
                reread.push(Reread {
                    receipt,
                    state: ReceiptState::Applied,
                    ignored_because: None,
                    notes: good.receipt.notes.clone(),
                    event_type: good.reading.event_type.clone(),
                });
            }
            // A row of an application beside us that is as it was asks nothing anew.
            Standing::Repeated(_) if good.source == Source::Legacy => {}
            Standing::Repeated(receipt) => {
                followups.wants.extend(good.entry(receipt).wants(now));
            }
        }
    }
    tx.save_reread(&reread).await?;
    write(tx, &entries, now, followups).await?;
    let mut standings = good.iter().zip(&standings);
    batch.iter().map(|one| outcome(one, &mut standings)).collect()
}

/// What a delivery is to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// New.
    First,
    /// It was kept and ignored as this receipt, and is applied now.
    Revived(Uuid),
    /// It was applied as this receipt, or would be ignored again.
    Repeated(Uuid),
}

impl Standing {
    /// Of several in one batch that revive one receipt the first does.
    fn of_all(good: &[&Good], claimed: &[Claimed]) -> Vec<Standing> {
        let mut revived = HashSet::new();
        let of = |(good, claimed): (&&Good, &Claimed)| match *claimed {
            Claimed::First => Standing::First,
            Claimed::Seen { receipt, applied } => {
                if !applied && good.reading.ignored.is_none() && revived.insert(receipt) {
                    Standing::Revived(receipt)
                } else {
                    Standing::Repeated(receipt)
                }
            }
        };
        good.iter().zip(claimed).map(of).collect()
    }
}

fn outcome<'a>(
    one: &Prepared,
    standings: &mut impl Iterator<Item = (&'a &'a Good, &'a Standing)>,
) -> Result<Outcome, StoreError> {
    let good = match one {
        Prepared::Dead(letter) => return Ok(Outcome::Buried(letter.reason)),
        Prepared::Good(good) => good,
    };
    // One standing for each good delivery, in the same order.
    match standings.next() {
        Some((_, Standing::First)) => Ok(good.reading.ignored.map_or(Outcome::Applied, Outcome::Ignored)),
        Some((_, Standing::Revived(_))) => Ok(Outcome::Applied),
        Some((_, Standing::Repeated(_))) => Ok(Outcome::Repeated),
        None => Err(StoreError::Missed { table: "webhook_dedupe", expected: 1, got: 0 }),
    }
}

/// Writes what readings say: facts and the rows they fold to, claims, wants, unknown words, contradictions; then events and
/// announcements of what changed.
pub(crate) async fn write(
    tx: &mut Tx,
    entries: &[Entry<'_>],
    now: Timestamp,
    mut followups: Followups,
) -> Result<(), StoreError> {
    let claims: Vec<_> = entries.iter().flat_map(Entry::claims).collect();
    let switches = tx.customers_of();
    let mut followed = claimed_of_payments(&claims);
    followed.retain(|payment, _| switches.of(&payment.account) == Switch::On);
    payments::write(tx, entries, &followed, now, &mut followups).await?;
    subscriptions::write(tx, entries, now, &mut followups).await?;
    followups.wants.extend(entries.iter().flat_map(|entry| entry.wants(now)));
    followups.inconsistencies.extend(entries.iter().flat_map(Entry::for_people));
    let words: Vec<_> = entries.iter().flat_map(Entry::unknown_words).collect();
    let moving = tx.add_claims(&claims, now).await?;
    let touched = Touched::of(entries, &claims, moving).only(&switches, &claims);
    tx.count_unknown_words(&words, now).await?;
    let apart = followups.apart();
    let mut changed = std::mem::take(&mut followups.changed);
    changed.extend(claims.iter().filter_map(joins_a_row));
    followups.save(tx, now).await?;
    legacy::write_apart(tx, &changed, now, apart.apart()).await?;
    people::write_apart(tx, &touched, now, apart).await
}

/// A claim that names what a legacy row may be called by: an order or an invoice of a payment.
fn joins_a_row(claim: &ClaimRow<'_>) -> Option<(PaymentKey, Uuid)> {
    let joins = claim.claims.iter().any(|(kind, _)| matches!(*kind, "order" | "invoice"));
    (claim.subject_kind == "payment" && joins).then(|| {
        let key =
            PaymentKey { account: claim.account.clone(), tenant: claim.tenant.into(), id: claim.subject_id.into() };
        (key, claim.receipt)
    })
}
