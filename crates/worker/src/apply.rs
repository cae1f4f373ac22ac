//! One transaction for a batch: receipts, aliases, facts, rows, and all that follows from them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use afluente_gateways::{ClaimSubject, Want};
use afluente_model::{Gateway, Timestamp};
use afluente_store::{
    ClaimRow, Claimed, DeadLetter, FactRow, Inconsistency, PaymentKey, PaymentRow, Receipt, Store, StoreError,
    SubscriptionFactRow, SubscriptionKey, Tx, UnknownWordRow, WantRow,
};
use uuid::Uuid;

use crate::names::{Renaming, key_of};
use crate::outcome::Outcome;
use crate::prepare::{Good, Prepared};
use crate::refold::{self, Followups};

/// Writes a batch and commits it: all of it or nothing. The outcomes are in the order of the batch.
pub(crate) async fn apply(store: &Store, batch: &[&Prepared], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
    let mut tx = store.begin().await?;
    let dead: Vec<DeadLetter> = batch.iter().filter_map(|one| dead_letter(one)).cloned().collect();
    tx.bury(&dead, now).await?;
    let good: Vec<&Good> = batch.iter().filter_map(|one| good(one)).collect();
    let receipts: Vec<Receipt> = good.iter().map(|good| good.receipt.clone()).collect();
    let claimed = tx.claim(&receipts, now).await?;
    let fresh: Vec<&Good> =
        good.iter().zip(&claimed).filter(|(_, claimed)| **claimed == Claimed::First).map(|(good, _)| *good).collect();
    let mut followups = Followups::default();
    payments(&mut tx, &fresh, now, &mut followups).await?;
    subscriptions(&mut tx, &fresh, now, &mut followups).await?;
    remember(&mut tx, &good, &claimed, now, followups).await?;
    tx.commit().await?;
    let mut claims = good.iter().zip(&claimed);
    Ok(batch.iter().map(|one| outcome(one, &mut claims)).collect())
}

fn good(prepared: &Prepared) -> Option<&Good> {
    match prepared {
        Prepared::Good(good) => Some(good),
        Prepared::Dead(_) => None,
    }
}

fn dead_letter(prepared: &Prepared) -> Option<&DeadLetter> {
    match prepared {
        Prepared::Dead(letter) => Some(letter),
        Prepared::Good(_) => None,
    }
}

fn outcome<'a>(one: &Prepared, claims: &mut impl Iterator<Item = (&'a &'a Good, &'a Claimed)>) -> Outcome {
    match one {
        Prepared::Dead(letter) => Outcome::Buried(letter.reason),
        Prepared::Good(_) => match claims.next() {
            Some((_, Claimed::Seen(_))) => Outcome::Repeated,
            Some((good, Claimed::First)) => good.reading.ignored.map_or(Outcome::Applied, Outcome::Ignored),
            None => Outcome::Applied,
        },
    }
}

/// Settles names, makes and locks the rows, adds facts, folds what gained any.
async fn payments(tx: &mut Tx, fresh: &[&Good], now: Timestamp, followups: &mut Followups) -> Result<(), StoreError> {
    let renaming = settle_names(tx, fresh, now).await?;
    let facts: Vec<(PaymentKey, Gateway, &Good, usize)> = fresh
        .iter()
        .flat_map(|good| (0..good.reading.facts.len()).map(move |index| (*good, index)))
        .map(|(good, index)| {
            let named = key_of(&good.delivery.account, &good.reading.facts[index].0);
            (named, good.delivery.gateway, good, index)
        })
        .collect();
    let moved_from: Vec<PaymentKey> = renaming.moves.iter().map(|one| one.from.clone()).collect();
    let rows = lock(tx, &facts, &renaming, &moved_from, now).await?;
    let ids: HashMap<&PaymentKey, Uuid> = rows.iter().map(|row| (&row.key, row.id)).collect();
    let mut touched: BTreeSet<Uuid> = BTreeSet::new();
    for one in &renaming.moves {
        if let (Some(from), Some(to)) = (ids.get(&one.from), ids.get(&one.to)) {
            tx.move_facts(*from, *to, &one.named.id).await?;
            touched.extend([*from, *to]);
        }
    }
    let new: Vec<FactRow> = facts
        .iter()
        .filter_map(|(named, _, good, index)| {
            let payment = *ids.get(&renaming.resolve(named))?;
            let fact = good.reading.facts[*index].1.clone();
            Some(FactRow { payment, named: named.id.clone(), fact, receipt: good.receipt.id })
        })
        .collect();
    touched.extend(tx.add_facts(&new, now).await?);
    let brought: HashMap<Uuid, Uuid> = new.iter().map(|row| (row.payment, row.receipt)).collect();
    let rows: Vec<&PaymentRow> = rows.iter().filter(|row| touched.contains(&row.id)).collect();
    refold::payments(tx, &rows, &renaming, &brought, now, followups).await?;
    for (alias, other) in &renaming.contested {
        followups.inconsistencies.push(alias_conflict(alias, other, &renaming));
    }
    Ok(())
}

async fn settle_names(tx: &mut Tx, fresh: &[&Good], now: Timestamp) -> Result<Renaming, StoreError> {
    let mut names: BTreeSet<PaymentKey> = BTreeSet::new();
    for good in fresh {
        let account = &good.delivery.account;
        names.extend(good.reading.facts.iter().map(|(payment, _)| key_of(account, payment)));
        names.extend(good.reading.aliases.iter().map(|alias| key_of(account, &alias.alias)));
    }
    let names: Vec<PaymentKey> = names.into_iter().collect();
    let stored = tx.aliases(&names).await?;
    let proposed =
        fresh.iter().flat_map(|good| good.reading.aliases.iter().map(move |alias| (&good.delivery.account, alias)));
    let renaming = Renaming::of(proposed, &stored);
    tx.save_aliases(&renaming.changed, now).await?;
    Ok(renaming)
}

/// Locks every row the batch will touch: those that get facts are made, those that only lose facts must exist.
async fn lock(
    tx: &mut Tx,
    facts: &[(PaymentKey, Gateway, &Good, usize)],
    renaming: &Renaming,
    moved_from: &[PaymentKey],
    now: Timestamp,
) -> Result<Vec<PaymentRow>, StoreError> {
    let mut make: BTreeMap<PaymentKey, Gateway> =
        facts.iter().map(|(named, gateway, _, _)| (renaming.resolve(named), *gateway)).collect();
    let leaving = tx.lock_payments(&[], moved_from, now).await?;
    for one in &renaming.moves {
        if let Some(row) = leaving.iter().find(|row| row.key == one.from) {
            make.entry(one.to.clone()).or_insert(row.gateway);
        }
    }
    let make: Vec<_> = make.into_iter().map(|(key, gateway)| (key, gateway, Uuid::now_v7())).collect();
    tx.lock_payments(&make, moved_from, now).await
}

fn alias_conflict(alias: &PaymentKey, other: &str, renaming: &Renaming) -> Inconsistency {
    let kept = renaming.resolve(alias);
    Inconsistency {
        id: Uuid::now_v7(),
        kind: "alias_claimed_twice",
        fingerprint: format!("alias_claimed_twice {} {} {} {other}", alias.account, alias.tenant, alias.id),
        account: alias.account.clone(),
        entity: format!("payment {}", kept.id),
        detail: format!("{} is claimed by {} and by {other}; {} keeps it", alias.id, kept.id, kept.id),
    }
}

async fn subscriptions(
    tx: &mut Tx,
    fresh: &[&Good],
    now: Timestamp,
    followups: &mut Followups,
) -> Result<(), StoreError> {
    let key = |good: &Good, index: usize| {
        let (named, _) = &good.reading.subscriptions[index];
        let tenant = named.tenant.as_ref().map_or("", |tenant| tenant.as_str());
        SubscriptionKey { account: good.delivery.account.clone(), tenant: tenant.into(), id: named.id.as_str().into() }
    };
    let facts: Vec<(SubscriptionKey, &Good, usize)> = fresh
        .iter()
        .flat_map(|good| (0..good.reading.subscriptions.len()).map(move |index| (*good, index)))
        .map(|(good, index)| (key(good, index), good, index))
        .collect();
    let keys: BTreeSet<&SubscriptionKey> = facts.iter().map(|(key, _, _)| key).collect();
    let keys: Vec<_> = keys.into_iter().map(|key| (key.clone(), Uuid::now_v7())).collect();
    let rows = tx.lock_subscriptions(&keys, now).await?;
    let ids: HashMap<&SubscriptionKey, Uuid> = rows.iter().map(|row| (&row.key, row.id)).collect();
    let new: Vec<SubscriptionFactRow> = facts
        .iter()
        .filter_map(|(key, good, index)| {
            let fact = good.reading.subscriptions[*index].1.clone();
            Some(SubscriptionFactRow { subscription: *ids.get(key)?, fact, receipt: good.receipt.id })
        })
        .collect();
    let gained: BTreeSet<Uuid> = tx.add_subscription_facts(&new, now).await?.into_iter().collect();
    let brought: HashMap<Uuid, Uuid> = new.iter().map(|row| (row.subscription, row.receipt)).collect();
    let rows: Vec<_> = rows.iter().filter(|row| gained.contains(&row.id)).collect();
    refold::subscriptions(tx, &rows, &brought, now, followups).await
}

/// Claims, wants, unknown words and contradictions; events and outbox of what changed.
async fn remember(
    tx: &mut Tx,
    good: &[&Good],
    claimed: &[Claimed],
    now: Timestamp,
    mut followups: Followups,
) -> Result<(), StoreError> {
    let (mut claims, mut words) = (Vec::new(), Vec::new());
    for (good, claimed) in good.iter().zip(claimed) {
        let receipt = match claimed {
            Claimed::First => good.receipt.id,
            Claimed::Seen(first) => *first,
        };
        // A repetition stores nothing again, but its question stands: an earlier want may have been closed since.
        followups.wants.extend(good.reading.wants.iter().map(|want| want_row(good, want, receipt, now)));
        if *claimed == Claimed::First {
            claims.extend(good.reading.claims.iter().map(|claim| claim_row(good, claim)));
            words.extend(good.reading.unmapped.iter().map(|word| UnknownWordRow {
                account: good.delivery.account.clone(),
                field: word.field,
                word: word.word.clone(),
            }));
            followups.inconsistencies.extend(disagreement(good));
        }
    }
    tx.add_claims(&claims, now).await?;
    tx.open_wants(&followups.wants, now).await?;
    tx.count_unknown_words(&words, now).await?;
    tx.report_inconsistencies(&followups.inconsistencies, now).await?;
    tx.add_events(&followups.events, now).await?;
    tx.add_outbox(&followups.outbox, now).await
}

fn want_row(good: &Good, want: &Want, receipt: Uuid, now: Timestamp) -> WantRow {
    WantRow {
        id: Uuid::now_v7(),
        account: good.delivery.account.clone(),
        tenant: want.tenant.as_ref().map_or("", |tenant| tenant.as_str()).into(),
        kind: want.kind.clone(),
        reference: want.id.as_str().into(),
        reason: want.reason.as_str(),
        not_before: now,
        receipt,
    }
}

fn claim_row(good: &Good, claim: &afluente_gateways::Claim) -> ClaimRow {
    let (subject_kind, tenant, subject_id) = match &claim.subject {
        ClaimSubject::Payment(payment) => ("payment", payment.tenant.as_ref(), &payment.id),
        ClaimSubject::Subscription(subscription) => ("subscription", subscription.tenant.as_ref(), &subscription.id),
        ClaimSubject::Customer(id) => ("customer", None, id),
        ClaimSubject::Method(id) => ("method", None, id),
        ClaimSubject::Checkout(id) => ("checkout", None, id),
        ClaimSubject::Invoice(id) => ("invoice", None, id),
    };
    ClaimRow {
        account: good.delivery.account.clone(),
        tenant: tenant.map_or("", |tenant| tenant.as_str()).into(),
        subject_kind,
        subject_id: subject_id.as_str().into(),
        claim: claim.kind.as_str(),
        value: claim.value.clone(),
        at: claim.at,
        source: good.source,
        receipt: good.receipt.id,
    }
}

/// An envelope of another mode or account: the configuration and the gateway disagree about who we are.
fn disagreement(good: &Good) -> Option<Inconsistency> {
    let because = good.reading.ignored.filter(|because| because.is_alarm())?;
    let account = &good.delivery.account;
    Some(Inconsistency {
        id: Uuid::now_v7(),
        kind: because.as_str(),
        fingerprint: format!("{} {account}", because.as_str()),
        account: account.clone(),
        entity: format!("account {account}"),
        detail: format!("receipt {} was kept and ignored: {}", good.receipt.id, because.as_str()),
    })
}
