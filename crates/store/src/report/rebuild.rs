//! What a rebuild reads: receipts in order, facts by payment, aliases, subscriptions.

use afluente_model::{AccountName, Proof, SecretName, SubscriptionKind, Timestamp};
use bytes::Bytes;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::Store;
use crate::error::StoreError;
use crate::fact::{self, StoredFact};
use crate::payment::{PaymentKey, moment};
use crate::subscription::{self, SubscriptionRow};

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
    received_at: i64,
    proof: String,
    proved_by: Option<String>,
    state: String,
    body_hash: Vec<u8>,
    body: Vec<u8>,
}

impl Store {
    /// Receipts in the order of their ids, after one.
    pub async fn receipts_after(&self, after: Uuid, limit: u32) -> Result<Vec<HeldReceipt>, StoreError> {
        let rows: Vec<ReceiptRecord> = sqlx::query_as(include_str!("../../sql/report/receipts_after.sql"))
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(self.pool())
            .await?;
        rows.into_iter().map(HeldReceipt::try_from).collect()
    }

    /// Every alias.
    pub async fn all_aliases(&self) -> Result<Vec<StoredAlias>, StoreError> {
        let rows: Vec<(String, String, String, String)> =
            sqlx::query_as(include_str!("../../sql/report/aliases.sql")).fetch_all(self.pool()).await?;
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
        let rows: Vec<subscription::Record> = sqlx::query_as(include_str!("../../sql/report/subscriptions_after.sql"))
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(self.pool())
            .await?;
        rows.into_iter().map(SubscriptionRow::try_from).collect()
    }

    /// Every fact of a subscription.
    pub async fn subscription_facts(&self, id: Uuid) -> Result<Vec<StoredFact<SubscriptionKind>>, StoreError> {
        let rows: Vec<fact::Record> = sqlx::query_as(include_str!("../../sql/report/subscription_facts.sql"))
            .bind(id)
            .fetch_all(self.pool())
            .await?;
        rows.into_iter().map(|row| row.read("subscription_facts")).collect()
    }
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
            received_at: moment("webhook_receipts", "received_at", row.received_at)?,
            proof,
            state: row.state,
            body_hash: row.body_hash,
            body: row.body.into(),
        })
    }
}
