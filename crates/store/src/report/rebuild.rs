//! What a rebuild reads: receipts in order, facts by payment, aliases, subscriptions.

use afluente_model::{AccountName, Proof, SecretName, SubscriptionKind, Timestamp};
use bytes::Bytes;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, Tx, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::fact::{self, StoredFact};
use crate::input::id_rows;
use crate::payment::PaymentKey;
use crate::rows::{Statement, ids, text};
use crate::subscription::{self, SubscriptionRow};

static SIZES: Statement = text!("report/receipt_sizes");
static RECEIPTS_AFTER: Statement = text!("receipts_select" "report/receipts_after");
static ALIASES: Statement = text!("report/aliases");
static AFTER: Statement = text!("subscriptions_select" "report/subscriptions_after");
pub(crate) static FACTS: Statement = text!("subscription_facts_select" "report/subscription_facts");

ids! {
    READ = "receipts_select" "receipts_read";
}

/// A receipt with its body, as a rebuild reads it again.
#[derive(Clone, Debug)]
pub struct HeldReceipt {
    /// The receipt.
    pub id: Uuid,
    /// The account it came to.
    pub account: AccountName,
    /// When ingress received it.
    pub received_at: Timestamp,
    /// What was proved then.
    pub proof: Proof,
    /// APPLIED or IGNORED.
    pub state: String,
    /// The hash stored with it.
    pub body_hash: Vec<u8>,
    /// The body.
    pub body: Bytes,
}

/// A stored second name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredAlias {
    /// The other name.
    pub alias: PaymentKey,
    /// The payment's own name.
    pub payment: Box<str>,
}

#[derive(FromRow)]
struct ReceiptRecord {
    id: Uuid,
    account: String,
    received_at: Moment,
    proof: String,
    proved_by: Option<String>,
    state: String,
    body_hash: Vec<u8>,
    body: Vec<u8>,
}

impl Store {
    /// Receipts in the order of their ids, after one: at most so many, and at most so many bytes of bodies unless the first
    /// alone is larger.
    pub async fn receipts_after(
        &self,
        after: Uuid,
        limit: u32,
        limit_bytes: i64,
    ) -> Result<Vec<HeldReceipt>, StoreError> {
        let sizes: Vec<(i64,)> = fetch!(self, fetch_all, SIZES, after, i64::from(limit))?;
        let limit = fitting(&sizes, limit_bytes);
        let rows: Vec<ReceiptRecord> = fetch!(self, fetch_all, RECEIPTS_AFTER, after, limit)?;
        rows.into_iter().map(HeldReceipt::try_from).collect()
    }

    /// Every alias.
    pub async fn all_aliases(&self) -> Result<Vec<StoredAlias>, StoreError> {
        let rows: Vec<(String, String, String, String)> = fetch!(self, fetch_all, ALIASES)?;
        rows.into_iter()
            .map(|(account, tenant, alias, payment)| {
                let account = AccountName::parse(&account)
                    .map_err(|_| StoreError::unreadable("payment_aliases", "account", &account))?;
                let alias = PaymentKey { account, tenant: tenant.into(), id: alias.into() };
                Ok(StoredAlias { alias, payment: payment.into() })
            })
            .collect()
    }

    /// Subscriptions in the order of their ids, after one.
    pub async fn subscriptions_after(&self, after: Uuid, limit: u32) -> Result<Vec<SubscriptionRow>, StoreError> {
        let rows: Vec<subscription::Record> = fetch!(self, fetch_all, AFTER, after, i64::from(limit))?;
        rows.into_iter().map(SubscriptionRow::try_from).collect()
    }

    /// Every fact of a subscription.
    pub async fn subscription_facts(&self, id: Uuid) -> Result<Vec<StoredFact<SubscriptionKind>>, StoreError> {
        let rows: Vec<fact::Record> = fetch!(self, fetch_all, FACTS, id)?;
        rows.into_iter().map(|row| row.read("subscription_facts")).collect()
    }
}

impl Tx {
    /// These receipts, as far as they are held.
    pub async fn held_receipts(&mut self, ids: &[Uuid]) -> Result<Vec<HeldReceipt>, StoreError> {
        let rows: Vec<ReceiptRecord> = self.fetch(&READ, &id_rows(ids)).await?;
        rows.into_iter().map(HeldReceipt::try_from).collect()
    }
}

/// How many of these fit, one at least.
fn fitting(sizes: &[(i64,)], limit_bytes: i64) -> i64 {
    let mut left = limit_bytes;
    let fit = sizes.iter().take_while(|(size,)| {
        left -= size;
        left >= 0
    });
    i64::try_from(fit.count().max(1)).unwrap_or(1)
}

impl TryFrom<ReceiptRecord> for HeldReceipt {
    type Error = StoreError;

    fn try_from(row: ReceiptRecord) -> Result<HeldReceipt, StoreError> {
        let bad = |column, got: &str| StoreError::unreadable("webhook_receipts", column, got);
        let by = row.proved_by.unwrap_or_default();
        let proof = match row.proof.as_str() {
            "signed" => Proof::Signed { secret: SecretName::parse(&by).map_err(|_| bad("proved_by", &by))? },
            "channel" => Proof::Channel { peer: by.into() },
            "path_token" => Proof::PathToken,
            "none" => Proof::None,
            other => return Err(bad("proof", other)),
        };
        Ok(HeldReceipt {
            id: row.id,
            account: AccountName::parse(&row.account).map_err(|_| bad("account", &row.account))?,
            received_at: row.received_at.read("webhook_receipts", "received_at")?,
            proof,
            state: row.state,
            body_hash: row.body_hash,
            body: row.body.into(),
        })
    }
}
