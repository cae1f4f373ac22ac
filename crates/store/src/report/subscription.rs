//! Subscriptions as operators look for them.

use afluente_model::SubscriptionBase;

use crate::backend::{Store, fetch};
use crate::error::StoreError;
use crate::rows::{Statement, text};
use crate::subscription::{Record, SubscriptionRow};

static SUBSCRIPTIONS: Statement = text!("subscriptions_select" "report/subscriptions");
pub(crate) static NAMED: Statement = text!("subscriptions_select" "report/subscriptions_named");

/// Which subscriptions, newest change first.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionFilter {
    /// Of this account.
    pub account: Option<String>,
    /// With this stored word.
    pub base: Option<SubscriptionBase>,
    /// At most this many.
    pub limit: u32,
}

impl Store {
    /// The subscriptions that match.
    pub async fn subscriptions(&self, filter: &SubscriptionFilter) -> Result<Vec<SubscriptionRow>, StoreError> {
        let (account, base) = (filter.account.as_deref(), filter.base.map(SubscriptionBase::as_str));
        let rows: Vec<Record> = fetch!(self, fetch_all, SUBSCRIPTIONS, account, base, i64::from(filter.limit))?;
        rows.into_iter().map(SubscriptionRow::try_from).collect()
    }

    /// The subscriptions whose gateway id is this: of several accounts, or several sub-accounts, each may have one.
    pub async fn subscriptions_named(&self, reference: &str, limit: u32) -> Result<Vec<SubscriptionRow>, StoreError> {
        let rows: Vec<Record> = fetch!(self, fetch_all, NAMED, reference, i64::from(limit))?;
        rows.into_iter().map(SubscriptionRow::try_from).collect()
    }
}
