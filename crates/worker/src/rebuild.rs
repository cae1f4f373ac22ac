//! Proves the ledger: every row is the fold of its facts, and the facts are what today's adapters read in the receipts.
//!
//! Rows are compared by natural key over the columns of [`crate::column`], never by ids or times of ours. Keys of all
//! facts are held in memory while it runs: 16 bytes a fact and its place in a tree, some 100 MB for a million facts. Claims are
//! said again to a ledger in a temporary folder.

mod claims;
mod expected;
mod people;
mod plan;
mod repair;
mod reread;

use std::collections::{BTreeSet, HashSet};
use std::fmt::Display;

use afluente_model::{Conventions, FactKey, Kind, PaymentKind, Source, fold, project, project_subscription};
use afluente_store::{PaymentKey, PaymentRow, Store, StoreError, StoredFact, SubscriptionKey};
use uuid::Uuid;

use crate::account::Accounts;
use crate::column::{self, Column};
use claims::SaidAgain;
use expected::Expected;
pub use plan::Plan;
pub use repair::{Repair, Repaired};

/// How many rows are read at once.
const PAGE: u32 = 500;
/// And bytes of bodies at once.
const PAGE_BYTES: i64 = 4 << 20;

/// What was compared and what differed.
#[derive(Debug, Default)]
pub struct Report {
    /// Receipts read again.
    pub receipts: u64,
    /// Receipts whose account is not in the configuration, so that nobody can read them.
    pub unread: u64,
    /// Payment rows compared with the fold of their facts.
    pub payments: u64,
    /// Subscription rows compared with the fold of their facts.
    pub subscriptions: u64,
    /// Payments and subscriptions whose person was compared with what was claimed of them.
    pub links: u64,
    /// Claims compared with what receipts say; what is joined of them was compared as well.
    pub claims: u64,
    /// Identities whose person was compared with what the law over all of them says.
    pub identities: u64,
    /// Facts found in a receipt as stored.
    pub facts: u64,
    /// Facts that cannot be compared: their receipt is no longer held, or nobody can read it, or a person made them.
    pub uncovered: u64,
    /// Every difference.
    pub differences: Vec<Difference>,
    /// What would mend them.
    pub plan: Plan,
}

/// One difference between what is stored and what should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about, by natural key.
    pub entity: String,
    /// The column or fact.
    pub what: String,
    /// As stored.
    pub stored: String,
    /// As recomputed.
    pub recomputed: String,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// So many receipts were read.
    Receipts(u64),
    /// So many rows were compared.
    Rows(u64),
}

/// Recomputes everything and compares. Open the store as a snapshot, or a running worker's commits between two reads
/// look like differences.
pub async fn check(
    store: &Store,
    accounts: &Accounts,
    mut progress: impl FnMut(Progress),
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let said_again = SaidAgain::to(store).await?;
    let expected = Expected::read(store, accounts, &mut report, &mut progress, &said_again).await?;
    said_again.uncovered(store, &expected).await?;
    said_again.compare(store, &mut report).await?;
    expected.compare_aliases(store, &mut report).await?;
    payments(store, accounts, &expected, &mut report, &mut progress).await?;
    subscriptions(store, &expected, &mut report).await?;
    people::compare(store, &mut report).await?;
    people::compare_links(store, &mut report).await?;
    Ok(report)
}

/// The same, and goes through the receipts once more for what is missing, so that the report's plan is whole.
pub async fn plan(
    store: &Store,
    accounts: &Accounts,
    mut progress: impl FnMut(Progress),
) -> Result<Report, StoreError> {
    let mut report = check(store, accounts, &mut progress).await?;
    if report.plan.looks_for_something() {
        Expected::look_for(store, accounts, &mut report, &mut progress).await?;
    }
    Ok(report)
}

impl Report {
    fn differs(&mut self, entity: &str, what: &str, stored: impl Display, recomputed: impl Display) {
        self.differences.push(Difference {
            entity: entity.to_owned(),
            what: what.to_owned(),
            stored: stored.to_string(),
            recomputed: recomputed.to_string(),
        });
    }

    /// Whether any column differs.
    fn compare_columns(&mut self, entity: &str, stored: &[Column<'_>], recomputed: &[Column<'_>]) -> bool {
        let differences = column::difference(stored, recomputed);
        let any = !differences.is_empty();
        for (name, stored, recomputed) in differences {
            self.differs(entity, name, stored, recomputed);
        }
        any
    }
}

async fn payments(
    store: &Store,
    accounts: &Accounts,
    expected: &Expected,
    report: &mut Report,
    progress: &mut impl FnMut(Progress),
) -> Result<(), StoreError> {
    let (mut after, mut seen) = (Uuid::nil(), HashSet::new());
    loop {
        let rows = store.payments_after(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in &rows {
            let facts = store.payment_facts(row.id).await?;
            payment(row, &facts, accounts.conventions(&row.key.account, row.gateway), expected, report);
            seen.insert(row.key.clone());
        }
        progress(Progress::Rows(report.payments));
    }
    for (key, facts) in expected.payments.iter().filter(|(key, _)| !seen.contains(*key)) {
        report.differs(&payment_name(key), "row", "missing", format!("{} facts", facts.len()));
        report.plan.find_facts(facts);
    }
    Ok(())
}

fn payment(
    row: &PaymentRow,
    facts: &[StoredFact<PaymentKind>],
    conventions: Conventions,
    expected: &Expected,
    report: &mut Report,
) {
    report.payments += 1;
    let name = payment_name(&row.key);
    let projected = project(&fold(facts.iter().map(|stored| &stored.fact)), conventions);
    let differs = report.compare_columns(&name, &column::of_payment(&row.payment), &column::of_payment(&projected));
    if differs {
        report.plan.refold_payment(row.id);
    }
    if usize::try_from(row.fact_count) != Ok(facts.len()) {
        report.differs(&name, "fact_count", row.fact_count, facts.len());
        report.plan.refold_payment(row.id);
    }
    if expected.is_alias(&row.key) {
        report.differs(&name, "row", "a payment of its own", "another payment's name");
        report.plan.find_name(row.key.clone());
    } else if facts.is_empty() {
        report.differs(&name, "row", "a payment", "nothing: no fact speaks of it");
        report.plan.refold_payment(row.id);
    }
    for key in compare_facts(&name, facts, expected.payments.get(&row.key), expected, report) {
        report.plan.drop_fact(row.id, key);
    }
    for one in facts.iter().filter(|one| !expected.is_named(&row.key, one)) {
        report.differs(&name, &format!("{} named", fact_name(one)), &*one.named, "a name of this payment");
        report.plan.find_fact(one.key);
        report.plan.drop_fact(row.id, one.key);
    }
}

async fn subscriptions(store: &Store, expected: &Expected, report: &mut Report) -> Result<(), StoreError> {
    let (mut after, mut seen) = (Uuid::nil(), HashSet::new());
    loop {
        let rows = store.subscriptions_after(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in &rows {
            report.subscriptions += 1;
            let name = subscription_name(&row.key);
            let facts = store.subscription_facts(row.id).await?;
            let projected = project_subscription(&fold(facts.iter().map(|stored| &stored.fact)));
            let stored = column::of_subscription(&row.subscription);
            if report.compare_columns(&name, &stored, &column::of_subscription(&projected)) || facts.is_empty() {
                report.plan.refold_subscription(row.id);
            }
            for key in compare_facts(&name, &facts, expected.subscriptions.get(&row.key), expected, report) {
                report.plan.drop_subscription_fact(row.id, key);
            }
            seen.insert(row.key.clone());
        }
    }
    for (key, facts) in expected.subscriptions.iter().filter(|(key, _)| !seen.contains(*key)) {
        report.differs(&subscription_name(key), "row", "missing", format!("{} facts", facts.len()));
        report.plan.find_facts(facts);
    }
    Ok(())
}

/// Stored facts against what the receipts say, both ways. Returns those that must go.
fn compare_facts<K: Kind>(
    name: &str,
    stored: &[StoredFact<K>],
    expected_keys: Option<&BTreeSet<FactKey>>,
    expected: &Expected,
    report: &mut Report,
) -> Vec<FactKey> {
    let mut wrong = Vec::new();
    let mut missing: BTreeSet<FactKey> = expected_keys.into_iter().flatten().copied().collect();
    for one in stored {
        if one.fact.key() != one.key {
            report.differs(name, "fact_key", one.key, one.fact.key());
            // It is not what its key says: out with it, and its receipt says it again.
            report.plan.find_fact(one.key);
            wrong.push(one.key);
        }
        let read_again = expected_keys.is_some_and(|keys| keys.contains(&one.key));
        missing.remove(&one.key);
        if read_again {
            report.facts += 1;
        } else if !expected.was_read(one.receipt) || one.fact.source == Source::Operator {
            report.uncovered += 1;
        } else {
            report.differs(name, &fact_name(one), "stored", "not in its receipt");
            wrong.push(one.key);
        }
    }
    for key in missing {
        report.differs(name, &format!("fact {key}"), "missing", "in a receipt");
        report.plan.find_fact(key);
    }
    wrong
}

fn fact_name<K: Kind>(stored: &StoredFact<K>) -> String {
    format!("fact {} {}.{}", stored.key, stored.fact.kind.family(), stored.fact.kind.word())
}

fn payment_name(key: &PaymentKey) -> String {
    format!("payment {}/{}{}", key.account, tenant(&key.tenant), key.id)
}

fn subscription_name(key: &SubscriptionKey) -> String {
    format!("subscription {}/{}{}", key.account, tenant(&key.tenant), key.id)
}

fn tenant(tenant: &str) -> String {
    if tenant.is_empty() { String::new() } else { format!("{tenant}/") }
}
