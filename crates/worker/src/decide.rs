//! Decisions of persons over who somebody is: taken in as receipts of their own, so that they can be proved and made again from
//! them like everything else.
//!
//! A preview is the decision itself in a unit of work that is taken back: it says what would happen, not what somebody thinks
//! would.

use std::time::Duration;

use afluente_gateways::Malformed;
use afluente_model::{AccountName, Incoming, Statement, Timestamp};
use afluente_store::{ClaimRow, Class, Store, StoreError};
use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::account::Accounts;
use crate::entry::Entry;
use crate::followup::Followups;
use crate::people::{self, Moved, Touched};
use crate::prepare::{Good, Unread};

/// A decision to be made, in words: they are read as any statement is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The account: of a gateway's customer its own, of an address any of its merchant's.
    pub account: String,
    /// The gateway's sub-account, empty for none.
    pub tenant: String,
    /// The gateway's customer it is of, or
    pub customer: Option<String>,
    /// the address.
    pub email: Option<String>,
    /// `document`, `email`, `itself` or `undone`.
    pub decided: String,
    /// The document or the address; empty for none.
    pub target: String,
    /// Who decides.
    pub by: String,
    /// Why.
    pub because: String,
}

/// Who went, or would go, to another person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The account it was said to.
    pub account: String,
    /// The gateway's sub-account, empty for none.
    pub tenant: String,
    /// The gateway's customer, if it names one.
    pub customer: Option<String>,
    /// The document that was said.
    pub document: Option<String>,
    /// The address that was said.
    pub email: Option<String>,
    /// Payments that follow it.
    pub payments: i64,
    /// Subscriptions that follow it.
    pub subscriptions: i64,
    /// Whose it was.
    pub from: Option<Uuid>,
    /// Whose it is.
    pub to: Option<Uuid>,
    /// What makes that person the same: a kind and a value.
    pub to_key: Option<String>,
}

/// Why a decision was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotDecided {
    /// It is of an account nobody configured.
    #[error("no account {0} in the configuration")]
    Account(String),
    /// It cannot be read.
    #[error("the decision cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// It would be of a time to come.
    #[error("the newest decision is of {0}, which is still to come: a clock is wrong")]
    Ahead(Timestamp),
    /// The ledger did not take it.
    #[error(transparent)]
    Ledger(#[from] StoreError),
}

/// How often a decision is tried that meets a batch.
const TRIES: usize = 5;

/// Makes a decision, or only looks what would come of it. Nothing is written unless all of it is.
pub async fn decide(
    store: &Store,
    accounts: &Accounts,
    decision: &Decision,
    is_preview: bool,
) -> Result<Vec<Move>, NotDecided> {
    let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(20)).with_max_times(TRIES);
    let is_contended =
        |error: &NotDecided| matches!(error, NotDecided::Ledger(error) if error.class() == Class::Contended);
    (|| once(store, accounts, decision, is_preview))
        .retry(waits.with_jitter())
        .sleep(tokio::time::sleep)
        .when(is_contended)
        .await
}

async fn once(
    store: &Store,
    accounts: &Accounts,
    decision: &Decision,
    is_preview: bool,
) -> Result<Vec<Move>, NotDecided> {
    let good = read(store, accounts, decision).await?;
    let now = crate::now();
    let mut tx = store.begin().await?;
    tx.claim(std::slice::from_ref(&good.receipt), now).await?;
    let claims: Vec<ClaimRow<'_>> = Entry::claims(&good.entry(good.receipt.id));
    let moving = tx.add_claims(&claims, now).await?;
    let mut followups = Followups::by(&decision.by);
    let touched = Touched::of(&[], &claims, moving).only(&tx.customers_of(), &claims);
    let moved = people::write(&mut tx, &touched, now, &mut followups).await?;
    let keys: Vec<_> = moved.iter().map(|one| one.identity.key).collect();
    let followers = tx.followers_of(&keys).await?;
    followups.save(&mut tx, now).await?;
    if is_preview {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    let of = |one: &Moved| shown(one, followers.get(&one.identity.key).copied().unwrap_or_default());
    Ok(moved.iter().map(of).collect())
}

/// Of our clock, and after every decision there is.
async fn read(store: &Store, accounts: &Accounts, decision: &Decision) -> Result<Good, NotDecided> {
    let unknown = || NotDecided::Account(decision.account.clone());
    let name = AccountName::parse(&decision.account).map_err(|_| unknown())?;
    let account = accounts.0.get(&name).ok_or_else(unknown)?;
    let newest = store.all_decisions().await?.first().map(|newest| newest.at.shifted(1));
    let received_at = crate::now();
    let at = newest.map_or(received_at, |newest| newest.max(received_at));
    let mut body = json!(decision);
    body["of"] = json!("decision");
    body["at"] = json!(at.to_string());
    let body = Bytes::from(body.to_string());
    let incoming = Incoming::Statement(Statement { gateway: account.gateway, account: name, received_at, body });
    Good::read(incoming, account).map_err(|unread| match unread {
        Unread::Malformed(malformed) => NotDecided::Malformed(malformed),
        Unread::Ahead { .. } => NotDecided::Ahead(at),
    })
}

fn shown(one: &Moved, [payments, subscriptions]: [i64; 2]) -> Move {
    let said = &one.identity.identity;
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    Move {
        account: one.identity.account.to_string(),
        tenant: one.identity.tenant.to_string(),
        customer: said.customer.as_ref().map(|customer| customer.id.to_string()),
        document: text(&said.document),
        email: text(&said.email),
        payments,
        subscriptions,
        from: one.identity.customer,
        to: one.to.as_ref().map(|(id, _)| *id),
        to_key: one.to.as_ref().map(|(_, key)| key.to_string()),
    }
}
