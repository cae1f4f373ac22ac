//! Subscription rows: created blank, locked in id order, written as projected.

use afluente_model::{
    AccountName, Evidence, FOLD_VERSION, PauseKind, Subscription, SubscriptionBase, SubscriptionReason, Timestamp,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::Moment;
use crate::error::StoreError;
use crate::input::id_rows;
use crate::payment::word;
use crate::rows::{ids, rows};

rows! {
    struct KeyInput<'a> {
        id: uuid,
        account: text,
        tenant: text,
        provider_subscription_id: text,
        now: moment,
    }
    BLANK = "subscriptions_blank";
    LOCK = "subscriptions_select" "subscriptions_lock", lock customer_subscriptions;
}

rows! {
    /// What a subscription's facts project to, for both directions.
    #[derive(FromRow)]
    struct Columns {
        id: uuid,
        base: string,
        legacy_word: opt string,
        reason: opt string,
        starts_at: opt moment,
        cancel_at: opt moment,
        period_start: opt moment,
        period_end: opt moment,
        trial_end: opt moment,
        grace_until: opt moment,
        ended_at: opt moment,
        pause_kind: opt string,
        evidence: string,
        contested: flag,
        source_as_of: opt moment,
        fold_version: int,
        fact_count: int,
        row_version: int,
        updated_at: moment,
    }
    UPDATE = "subscriptions_update";
}

ids! {
    LOCK_IDS = "subscriptions_select" "subscriptions_lock_ids", lock customer_subscriptions;
    DELETE = "subscriptions_delete";
}

const TABLE: &str = "customer_subscriptions";

/// The natural key of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionKey {
    /// The account.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// The gateway's id of the subscription.
    pub id: Box<str>,
}

/// A subscription as the ledger holds it.
#[derive(Clone, Debug)]
pub struct SubscriptionRow {
    /// Ours.
    pub id: Uuid,
    /// Its natural key.
    pub key: SubscriptionKey,
    /// What its facts project to.
    pub subscription: Subscription,
    /// How many facts it was folded from.
    pub fact_count: i64,
    /// Counts its changes; 0 for a row that was only just created.
    pub row_version: i64,
    /// When it last changed.
    pub updated_at: Timestamp,
}

#[derive(FromRow)]
pub(crate) struct Record {
    account: String,
    tenant: String,
    provider_subscription_id: String,
    #[sqlx(flatten)]
    columns: Columns,
}

impl Tx {
    /// Makes sure a row exists for each key and locks them all, in the order of their ids; as for payments.
    pub async fn lock_subscriptions(
        &mut self,
        keys: &[(SubscriptionKey, Uuid)],
        now: Timestamp,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        let mut rows: Vec<KeyInput<'_>> = keys
            .iter()
            .map(|(key, id)| KeyInput {
                id: (*id).into(),
                account: key.account.as_str(),
                tenant: &key.tenant,
                provider_subscription_id: &key.id,
                now: now.into(),
            })
            .collect();
        rows.sort_by_key(|row| (row.account, row.tenant, row.provider_subscription_id));
        self.execute(&BLANK, &rows).await?;
        let records: Vec<Record> = self.fetch(&LOCK, &rows).await?;
        if records.len() != rows.len() {
            return Err(StoreError::Missed { table: TABLE, expected: rows.len(), got: records.len() });
        }
        records.into_iter().map(SubscriptionRow::try_from).collect()
    }

    /// Locks rows by their ids; as for payments.
    pub async fn lock_subscription_ids(&mut self, ids: &[Uuid]) -> Result<Vec<SubscriptionRow>, StoreError> {
        let records: Vec<Record> = self.fetch(&LOCK_IDS, &id_rows(ids)).await?;
        records.into_iter().map(SubscriptionRow::try_from).collect()
    }

    /// Removes rows that have no fact any more.
    pub async fn delete_subscriptions(&mut self, ids: &[Uuid]) -> Result<(), StoreError> {
        self.execute(&DELETE, &id_rows(ids)).await?;
        Ok(())
    }

    /// Writes projected rows; each `row_version` given is the new one.
    pub async fn save_subscriptions(&mut self, rows: &[SubscriptionRow]) -> Result<(), StoreError> {
        let inputs: Vec<Columns> = rows.iter().map(Columns::from).collect();
        self.execute(&UPDATE, &inputs).await?;
        Ok(())
    }
}

impl From<&SubscriptionRow> for Columns {
    fn from(row: &SubscriptionRow) -> Columns {
        let subscription = &row.subscription;
        let moment = |at: Option<Timestamp>| at.map(Moment::from);
        Columns {
            id: row.id.into(),
            base: subscription.base.to_string(),
            legacy_word: subscription.word.as_deref().map(Into::into),
            reason: subscription.reason.map(|reason| reason.to_string()),
            starts_at: moment(subscription.starts_at),
            cancel_at: moment(subscription.cancel_at),
            period_start: moment(subscription.period_start),
            period_end: moment(subscription.period_end),
            trial_end: moment(subscription.trial_end),
            grace_until: moment(subscription.grace_until),
            ended_at: moment(subscription.ended_at),
            pause_kind: subscription.pause_kind.map(|kind| kind.to_string()),
            evidence: subscription.evidence.to_string(),
            contested: subscription.contested,
            source_as_of: moment(subscription.source_as_of),
            fold_version: FOLD_VERSION.into(),
            fact_count: row.fact_count,
            row_version: row.row_version,
            updated_at: row.updated_at.into(),
        }
    }
}

impl TryFrom<Columns> for Subscription {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Subscription, StoreError> {
        let time = |column, at: Option<Moment>| at.map(|at| at.read(TABLE, column)).transpose();
        Ok(Subscription {
            base: word::<SubscriptionBase>(TABLE, "base", &row.base)?,
            reason: row.reason.map(|reason| word::<SubscriptionReason>(TABLE, "reason", &reason)).transpose()?,
            starts_at: time("starts_at", row.starts_at)?,
            cancel_at: time("cancel_at", row.cancel_at)?,
            period_start: time("period_start", row.period_start)?,
            period_end: time("period_end", row.period_end)?,
            trial_end: time("trial_end", row.trial_end)?,
            grace_until: time("grace_until", row.grace_until)?,
            ended_at: time("ended_at", row.ended_at)?,
            pause_kind: row.pause_kind.map(|kind| word::<PauseKind>(TABLE, "pause_kind", &kind)).transpose()?,
            evidence: word::<Evidence>(TABLE, "evidence", &row.evidence)?,
            contested: row.contested,
            word: row.legacy_word.map(Into::into),
            source_as_of: time("source_as_of", row.source_as_of)?,
        })
    }
}

impl TryFrom<Record> for SubscriptionRow {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<SubscriptionRow, StoreError> {
        let account =
            AccountName::parse(&row.account).map_err(|_| StoreError::unreadable(TABLE, "account", &row.account))?;
        Ok(SubscriptionRow {
            id: row.columns.id.into(),
            key: SubscriptionKey { account, tenant: row.tenant.into(), id: row.provider_subscription_id.into() },
            fact_count: row.columns.fact_count,
            row_version: row.columns.row_version,
            updated_at: row.columns.updated_at.read(TABLE, "updated_at")?,
            subscription: row.columns.try_into()?,
        })
    }
}
