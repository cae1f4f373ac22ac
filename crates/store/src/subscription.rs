//! Subscription rows: created blank, locked in id order, written as projected.

use afluente_model::{
    AccountName, Evidence, FOLD_VERSION, PauseKind, Subscription, SubscriptionBase, SubscriptionReason, Timestamp,
};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::Tx;
use crate::error::StoreError;
use crate::input::{Input, Statement, hex, statement};
use crate::payment::{moment, word};

static BLANK: Statement = statement!("subscriptions_blank");
static LOCK: Statement = statement!("subscriptions_lock");
static LOCK_IDS: Statement = statement!("subscriptions_lock_ids");
static UPDATE: Statement = statement!("subscriptions_update");
static DELETE: Statement = statement!("subscriptions_delete");

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

#[derive(Serialize)]
struct KeyInput<'a> {
    id: String,
    account: &'a str,
    tenant: &'a str,
    provider_subscription_id: &'a str,
    now: i64,
}

/// The columns of a projected subscription, for both directions.
#[derive(Serialize, FromRow)]
struct Columns {
    base: String,
    legacy_word: Option<String>,
    reason: Option<String>,
    starts_at: Option<i64>,
    cancel_at: Option<i64>,
    period_start: Option<i64>,
    period_end: Option<i64>,
    trial_end: Option<i64>,
    grace_until: Option<i64>,
    ended_at: Option<i64>,
    pause_kind: Option<String>,
    evidence: String,
    contested: bool,
    source_as_of: Option<i64>,
}

#[derive(FromRow)]
pub(crate) struct Record {
    id: Uuid,
    account: String,
    tenant: String,
    provider_subscription_id: String,
    fact_count: i64,
    row_version: i64,
    updated_at: i64,
    #[sqlx(flatten)]
    columns: Columns,
}

#[derive(Serialize)]
struct UpdateInput {
    id: String,
    fold_version: i32,
    fact_count: i64,
    row_version: i64,
    now: i64,
    #[serde(flatten)]
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
                id: hex(id.as_bytes()),
                account: key.account.as_str(),
                tenant: &key.tenant,
                provider_subscription_id: &key.id,
                now: now.as_micros(),
            })
            .collect();
        rows.sort_by_key(|row| (row.account, row.tenant, row.provider_subscription_id));
        self.execute(&BLANK, Input::of(&rows)).await?;
        let records: Vec<Record> = self.fetch(&LOCK, Input::of(&rows)).await?;
        if records.len() != rows.len() {
            return Err(StoreError::Missed { table: TABLE, expected: rows.len(), got: records.len() });
        }
        records.into_iter().map(SubscriptionRow::try_from).collect()
    }

    /// Locks rows by their ids; as for payments.
    pub async fn lock_subscription_ids(&mut self, ids: &[Uuid]) -> Result<Vec<SubscriptionRow>, StoreError> {
        let records: Vec<Record> = self.fetch(&LOCK_IDS, Input::ids(ids)).await?;
        records.into_iter().map(SubscriptionRow::try_from).collect()
    }

    /// Removes rows that have no fact any more.
    pub async fn delete_subscriptions(&mut self, ids: &[Uuid]) -> Result<(), StoreError> {
        self.execute(&DELETE, Input::ids(ids)).await?;
        Ok(())
    }

    /// Writes projected rows; each `row_version` given is the new one.
    pub async fn save_subscriptions(&mut self, rows: &[SubscriptionRow]) -> Result<(), StoreError> {
        let inputs: Vec<UpdateInput> = rows
            .iter()
            .map(|row| UpdateInput {
                id: hex(row.id.as_bytes()),
                fold_version: FOLD_VERSION,
                fact_count: row.fact_count,
                row_version: row.row_version,
                now: row.updated_at.as_micros(),
                columns: Columns::from(&row.subscription),
            })
            .collect();
        self.execute(&UPDATE, Input::of(&inputs)).await?;
        Ok(())
    }
}

impl From<&Subscription> for Columns {
    fn from(subscription: &Subscription) -> Columns {
        let micros = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
        Columns {
            base: subscription.base.to_string(),
            legacy_word: subscription.word.as_deref().map(Into::into),
            reason: subscription.reason.map(|reason| reason.to_string()),
            starts_at: micros(subscription.starts_at),
            cancel_at: micros(subscription.cancel_at),
            period_start: micros(subscription.period_start),
            period_end: micros(subscription.period_end),
            trial_end: micros(subscription.trial_end),
            grace_until: micros(subscription.grace_until),
            ended_at: micros(subscription.ended_at),
            pause_kind: subscription.pause_kind.map(|kind| kind.to_string()),
            evidence: subscription.evidence.to_string(),
            contested: subscription.contested,
            source_as_of: micros(subscription.source_as_of),
        }
    }
}

impl TryFrom<Columns> for Subscription {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Subscription, StoreError> {
        let time = |column, at: Option<i64>| at.map(|at| moment(TABLE, column, at)).transpose();
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
            id: row.id,
            key: SubscriptionKey { account, tenant: row.tenant.into(), id: row.provider_subscription_id.into() },
            subscription: row.columns.try_into()?,
            fact_count: row.fact_count,
            row_version: row.row_version,
            updated_at: moment(TABLE, "updated_at", row.updated_at)?,
        })
    }
}
