//! What a rebuild reads: receipts in order, facts by payment, aliases, subscriptions.

use afluente_model::{AccountName, SubscriptionKind};
use uuid::Uuid;

use crate::backend::{Store, Tx, fetch};
use crate::error::StoreError;
use crate::fact::{self, StoredFact};
use crate::input::id_rows;
use crate::payment::PaymentKey;
use crate::receipt::{HeldReceipt, held};
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

/// A stored second name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredAlias {
    /// The other name.
    pub alias: PaymentKey,
    /// The payment's own name.
    pub payment: Box<str>,
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
        let rows: Vec<held::Record> = fetch!(self, fetch_all, RECEIPTS_AFTER, after, limit)?;
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
        let rows: Vec<held::Record> = self.fetch(&READ, &id_rows(ids)).await?;
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
