//! What a gateway answered, on its way into the ledger: the same way a delivery takes.

use afluente_gateways::Malformed;
use afluente_model::{Answer, Incoming, chain};
use afluente_store::{Class, Settled, Store, StoreError};
use backon::{ExponentialBuilder, Retryable};
use tracing::debug;

use crate::account::Account;
use crate::apply::apply;
use crate::prepare::{Good, Prepared, Unread};

/// An answer that was read. Nothing of it is written yet.
#[derive(Debug)]
pub struct Answered {
    prepared: Prepared,
    next_page: Option<Box<str>>,
}

/// Why an answer says nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is not what was asked for, or nobody can read it.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It says what has not happened yet.
    #[error("{0}")]
    FutureDated(String),
}

impl Answered {
    /// Reads an answer as an account's adapter does.
    pub fn read(answer: Answer, account: &Account) -> Result<Answered, Unusable> {
        let good = Good::read(Incoming::Answer(answer), account).map_err(|unread| match unread {
            Unread::Malformed(malformed) => Unusable::Malformed(malformed),
            ahead @ Unread::Ahead { .. } => Unusable::FutureDated(chain(&ahead)),
        })?;
        let next_page = good.reading.next_page.clone();
        Ok(Answered { prepared: Prepared::Good(Box::new(good)), next_page })
    }

    /// The path of what comes after it, if it is a page of a list and not the last.
    #[must_use]
    pub fn next_page(&self) -> Option<&str> {
        self.next_page.as_deref()
    }
}

/// Calls that were made, to be counted.
#[derive(Clone, Debug)]
pub struct Calls<'a> {
    /// As `YYYY-MM`, in UTC.
    pub month: &'a str,
    /// How many.
    pub calls: u32,
}

/// Writes what was answered, what becomes of the question, and what it cost, in one transaction: a kill leaves all of it or
/// none, and the question open.
pub async fn record(
    store: &Store,
    account: &afluente_model::AccountName,
    answers: &[Answered],
    settled: &Settled,
    cost: &Calls<'_>,
) -> Result<(), StoreError> {
    let batch: Vec<&Prepared> = answers.iter().map(|answer| &answer.prepared).collect();
    let attempt = || async {
        let now = crate::now();
        let mut tx = store.begin().await?;
        tx.count_lookup_calls(account, cost.month, cost.calls).await?;
        let outcomes = apply(&mut tx, &batch, now).await?;
        tx.settle_wants(std::slice::from_ref(settled), now).await?;
        tx.commit().await?;
        Ok(outcomes)
    };
    let waits = ExponentialBuilder::default().with_min_delay(std::time::Duration::from_millis(10)).with_jitter();
    let outcomes = attempt
        .retry(waits)
        .sleep(tokio::time::sleep)
        .when(|error: &StoreError| error.class() == Class::Contended)
        .await?;
    for outcome in outcomes {
        debug!(account.id = %account, outcome = outcome.word(), "Recorded an answer");
    }
    Ok(())
}
