//! The ledger against the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::{Duration, Instant};

use afluente_model::{Gateway, WantReason};
use afluente_store::report::WantView;
use afluente_store::{Class, PaymentRow, Store, StoreError};

use crate::plan::Truth;
use crate::player::{self, Player};
use crate::sent::Acknowledged;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The payment or event, by the gateway's id.
    pub entity: String,
    /// The kind of life it belongs to.
    pub life: &'static str,
    /// The column, or `rows`, `receipts`, `row`.
    pub column: &'static str,
    /// What is known to be true.
    pub expected: String,
    /// What the ledger says.
    pub found: String,
}

/// Waits until every acknowledged event is a receipt.
pub async fn settled(
    store: &Store,
    account: &str,
    acknowledged: &Acknowledged,
    patience: Duration,
) -> Result<(), StoreError> {
    let started = Instant::now();
    loop {
        let over = started.elapsed() > patience;
        match store.receipts_of_events(account).await {
            Ok(receipts) => {
                let receipts: BTreeMap<String, i64> = receipts.into_iter().collect();
                let is_there = |(event, bodies): (&String, &BTreeSet<u64>)| expected(bodies) <= found(event, &receipts);
                if over || acknowledged.iter().all(is_there) {
                    // What is still missing is a difference, told as such.
                    return Ok(());
                }
            }
            Err(error) if over || error.class() != Class::Away => return Err(error),
            // A ledger that is away comes back, as the workers expect it to.
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Open questions of an account, but for those about what is nobody's or another seller's, which stay open until a person drops
/// them, and for those that are dropped by themselves once their payment is known.
pub async fn open_questions(store: &Store, gateway: Gateway, account: &str) -> Result<usize, StoreError> {
    let rowless = player::of(gateway, "").map_or(&[][..], Player::rowless);
    let wants = store.wants(Some(account), MOST_QUESTIONS).await?;
    let is_ours = |reference: &str| !rowless.iter().any(|prefix| reference.starts_with(prefix));
    let is_meant = |want: &&WantView| want.reason != WantReason::Unconfirmed.as_str() && is_ours(&want.reference);
    Ok(wants.iter().filter(is_meant).count())
}

/// More than any run leaves open at once and needs to be told exactly.
const MOST_QUESTIONS: u32 = 100_000;

/// Every payment against its truth, every acknowledged event against its receipts, one for each body it came in, and nothing
/// beside them.
pub async fn all(
    store: &Store,
    gateway: Gateway,
    account: &str,
    acknowledged: &Acknowledged,
    truth: &[Truth],
) -> Result<Vec<Difference>, StoreError> {
    let receipts: BTreeMap<String, i64> = store.receipts_of_events(account).await?.into_iter().collect();
    let receipt = |(event, bodies): (&String, &BTreeSet<u64>)| receipt(event, bodies, &receipts);
    let mut differences: Vec<Difference> = acknowledged.iter().filter_map(receipt).collect();
    for truth in truth {
        let mut rows = store.payments_named(&truth.id, 10).await?;
        rows.retain(|row| row.key.account.as_str() == account);
        differences.extend(payment(truth, &rows));
    }
    if let Ok(player) = player::of(gateway, "") {
        for prefix in player.rowless() {
            let rows = store.payments_named_like(account, prefix).await?;
            differences.extend(rows.into_iter().map(|id| difference(&id, "none", "row", "none", "a row")));
        }
    }
    Ok(differences)
}

/// Receipts an event is to have.
fn expected(bodies: &BTreeSet<u64>) -> i64 {
    i64::try_from(bodies.len()).unwrap_or(i64::MAX)
}

fn found(event: &str, receipts: &BTreeMap<String, i64>) -> i64 {
    receipts.get(event).copied().unwrap_or(0)
}

fn difference(
    entity: &str,
    life: &'static str,
    column: &'static str,
    expected: impl Display,
    found: impl Display,
) -> Difference {
    Difference { entity: entity.to_owned(), life, column, expected: expected.to_string(), found: found.to_string() }
}

fn receipt(event: &str, bodies: &BTreeSet<u64>, receipts: &BTreeMap<String, i64>) -> Option<Difference> {
    let (expected, found) = (expected(bodies), found(event, receipts));
    (found != expected).then(|| difference(event, "-", "receipts", expected, found))
}

fn payment(truth: &Truth, rows: &[PaymentRow]) -> Vec<Difference> {
    let [row] = rows else { return vec![difference(&truth.id, truth.life, "rows", 1, rows.len())] };
    let amounts = &row.payment.amounts;
    let found = row.payment.status.as_str();
    let mut differences = Vec::new();
    if truth.status != found {
        differences.push(difference(&truth.id, truth.life, "status_v2", truth.status, found));
    }
    for (column, expected, found) in [
        ("captured_amount", truth.captured, amounts.captured),
        ("refunded_amount", truth.refunded, amounts.refunded),
        ("refund_pending_amount", truth.refund_pending, amounts.refund_pending),
        ("disputed_amount", truth.disputed, amounts.disputed),
        ("charged_back_amount", truth.charged_back, amounts.charged_back),
    ] {
        if expected != found.minor() {
            differences.push(difference(&truth.id, truth.life, column, expected, found));
        }
    }
    let currency = row.payment.currency.map_or_else(|| "-".to_owned(), |currency| currency.to_string());
    // A payment that was only thought of has no money whose currency could be known.
    if truth.captured > 0 && currency != truth.currency {
        differences.push(difference(&truth.id, truth.life, "currency", &truth.currency, currency));
    }
    differences
}
