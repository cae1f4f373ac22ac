//! Beside a legacy application: its rows show what ours say, in a part of their own. It may fail, and costs nothing of ours.

mod choice;

use std::collections::{BTreeMap, BTreeSet};

use afluente_model::legacy::spellings;
use afluente_model::{Gateway, Timestamp, chain};
use afluente_store::legacy::{Beside, Relative, RowNote, Stood, TheirRow, Words};
use afluente_store::{
    GapReason, GapSubject, GapTarget, Inconsistency, NO_LABEL, NO_ROW, PaymentKey, StoreError, Switch, Tx,
};
use tracing::warn;
use uuid::Uuid;

use choice::Related;

use crate::followup::Followups;
use crate::measure;

/// Writes what changed beside their rows, as a part of its own. What failed is a gap, to be made good from what is stored.
pub(crate) async fn write_apart(
    tx: &mut Tx,
    names: &BTreeMap<PaymentKey, Uuid>,
    now: Timestamp,
    mut followups: Followups,
) -> Result<(), StoreError> {
    if names.is_empty() || tx.beside().is_none() {
        return Ok(());
    }
    tx.begin_part().await?;
    let written = async {
        write(tx, &names.keys().cloned().collect::<Vec<_>>(), now, &mut followups).await?;
        followups.save(tx, now).await
    }
    .await;
    let Err(error) = tx.end_part(written).await? else { return Ok(()) };
    let (class, detail) = (error.class(), chain(&error));
    warn!(payments = names.len(), error = %detail, "Rows of the legacy application could not be written; noted as gaps and made again");
    measure::gaps(GapTarget::Legacy, class, names.len());
    let subjects: Vec<(GapSubject, Uuid)> = names.iter().map(|(key, receipt)| (gap(key), *receipt)).collect();
    let why = GapReason { target: GapTarget::Legacy, reason: class.as_str(), detail: &detail };
    tx.open_gaps(&subjects, why, now).await
}

/// Finds the rows of these payments, and lets each show the payment it is of.
pub(crate) async fn write(
    tx: &mut Tx,
    names: &[PaymentKey],
    now: Timestamp,
    followups: &mut Followups,
) -> Result<(), StoreError> {
    let Some(beside) = tx.beside() else { return Ok(()) };
    let family = tx.legacy_family(names).await?;
    let family: Vec<Relative> =
        family.into_iter().filter(|one| beside.switches.of(&one.key.account) != Switch::Off).collect();
    let related = Related::of(&family);
    let rows = find(tx, &family, &related).await?;
    let ids: Vec<&str> = rows.iter().map(|(row, _)| &*row.row_id).collect();
    let before = tx.legacy_written(&ids).await?;
    let before: BTreeMap<&str, _> = before.iter().map(|one| (&*one.row_id, one)).collect();
    let speakers = choice::speakers(&rows);
    let speaks = |row: &TheirRow| speakers.contains(&*row.row_id);
    let told: Vec<Told<'_>> = rows.iter().map(|(row, payment)| Told::of(row, payment, &beside, speaks(row))).collect();
    let wanted: Vec<(&str, Words<'_>)> = told.iter().filter_map(|one| Some((&*one.row.row_id, one.written?))).collect();
    let stood = tx.legacy_write(&wanted).await?;
    let stood: BTreeMap<&str, &Stood> = stood.iter().map(|one| (&*one.row_id, one)).collect();
    for one in &told {
        let last = before.get(&*one.row.row_id);
        let status_written = last.and_then(|last| last.status_written.as_deref());
        if status_written.is_some_and(|written| one.row.status_now.as_deref() != Some(written)) {
            followups.inconsistencies.push(overwritten(one, status_written.unwrap_or_default()));
        }
    }
    let notes: Vec<RowNote<'_>> = told.iter().map(|one| one.note(stood.get(&*one.row.row_id).copied())).collect();
    tx.legacy_note(&notes, now).await?;
    let is_on = |one: &&Relative| beside.switches.of(&one.key.account) == Switch::On;
    let unnamed = related.unnamed(&family, &rows);
    let unfound: BTreeSet<&PaymentKey> = unnamed.into_iter().filter(is_on).map(|one| &one.key).collect();
    tell_gaps(tx, &family, &told, &unfound, now).await
}

/// A row of theirs with what is told of it.
struct Told<'a> {
    row: &'a TheirRow,
    payment: &'a Relative,
    words: Words<'static>,
    missing: Option<String>,
    differs: Option<String>,
    written: Option<Words<'static>>,
}

impl<'a> Told<'a> {
    fn of(row: &'a TheirRow, payment: &'a Relative, beside: &Beside, speaks: bool) -> Told<'a> {
        let (words, missing) = choice::told(payment, beside);
        let words = choice::once_counted(words, row, speaks);
        let differs = choice::difference(row, words);
        let is_on = beside.switches.of(&payment.key.account) == Switch::On;
        let written = choice::written(words, beside).filter(|_| is_on);
        Told { row, payment, words, missing, differs, written }
    }

    /// What stood in it when it was written goes before what was found a moment earlier.
    fn note<'b>(&'b self, stood: Option<&'b Stood>) -> RowNote<'b> {
        let now = self.row;
        let (provider, status, word) = match stood {
            Some(stood) => (&stood.provider_before, &stood.status_before, &stood.word_before),
            None => (&now.provider_now, &now.status_now, &now.word_now),
        };
        RowNote {
            row: &now.row_id,
            payment: &self.payment.key,
            wanted: self.words,
            found: Words { provider: provider.as_deref(), status: status.as_deref(), word: word.as_deref() },
            written: self.written,
            differs: self.differs.as_deref().filter(|_| self.written.is_none()),
        }
    }
}

/// Every row of theirs that one of these payments is behind, once, with the payment it shows.
async fn find<'a>(
    tx: &mut Tx,
    family: &'a [Relative],
    related: &Related<'a>,
) -> Result<Vec<(TheirRow, &'a Relative)>, StoreError> {
    let mut by_gateway: BTreeMap<Gateway, BTreeSet<&str>> = BTreeMap::new();
    for one in family {
        by_gateway.entry(one.gateway).or_default().extend(one.own.iter().chain(&one.groups).map(|id| &**id));
    }
    let asked: Vec<(&[&str], Vec<&str>)> =
        by_gateway.iter().map(|(gateway, ids)| (spellings(*gateway), ids.iter().copied().collect())).collect();
    let gateways: Vec<Gateway> = by_gateway.keys().copied().collect();
    let found = tx.legacy_find(&asked).await?;
    let shown = |row: TheirRow| {
        let gateway = usize::try_from(row.place).ok().and_then(|place| gateways.get(place).copied())?;
        let payment = choice::shown(&row, related).filter(|payment| payment.gateway == gateway)?;
        Some((row, payment))
    };
    Ok(found.into_iter().filter_map(shown).collect())
}

/// What has no word there is a gap until another word is said, what has no row until there is one or nobody expects it any more;
/// everything else of these payments is written.
async fn tell_gaps(
    tx: &mut Tx,
    family: &[Relative],
    told: &[Told<'_>],
    unfound: &BTreeSet<&PaymentKey>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unsaid: BTreeMap<&PaymentKey, &str> =
        told.iter().filter_map(|one| Some((&one.payment.key, one.missing.as_deref()?))).collect();
    let said = family.iter().map(|one| &one.key).filter(|key| !unsaid.contains_key(key) && !unfound.contains(*key));
    tx.settle_gaps(GapTarget::Legacy, &said.map(gap).collect::<Vec<_>>(), now).await?;
    for (key, detail) in unsaid {
        let why = GapReason { target: GapTarget::Legacy, reason: NO_LABEL, detail };
        tx.open_gaps(&[(gap(key), Uuid::nil())], why, now).await?;
    }
    let detail = "no row of theirs names it yet";
    let why = GapReason { target: GapTarget::Legacy, reason: NO_ROW, detail };
    tx.open_gaps(&unfound.iter().map(|key| (gap(key), Uuid::nil())).collect::<Vec<_>>(), why, now).await
}

fn gap(key: &PaymentKey) -> GapSubject {
    GapSubject { account: key.account.clone(), tenant: key.tenant.clone(), kind: "payment".into(), id: key.id.clone() }
}

/// Somebody else wrote after us.
fn overwritten(one: &Told<'_>, written: &str) -> Inconsistency {
    let key = &one.payment.key;
    Inconsistency {
        id: Uuid::now_v7(),
        kind: "legacy_overwritten",
        fingerprint: format!("legacy_overwritten {}", one.row.row_id),
        account: key.account.clone(),
        entity: format!("payment {}", key.id),
        detail: format!(
            "row {} had {written} from us and was found with {}; it was written once more",
            one.row.row_id,
            one.row.status_now.as_deref().unwrap_or("nothing")
        ),
    }
}
