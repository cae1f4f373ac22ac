//! Open questions for the gateways.

use afluente_model::{Gateway, Timestamp, WantReason};
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::payment::word;
use crate::rows::{Statement, text};

static WANTS: Statement = text!("report/wants");
static OPEN: Statement = text!("report/wants_open");

const TABLE: &str = "wants";

/// One open want.
#[derive(Clone, Debug)]
pub struct WantView {
    /// The want.
    pub id: Uuid,
    /// The account whose credentials answer it.
    pub account: String,
    /// The gateway's sub-account, empty for none.
    pub tenant: String,
    /// Kind of object.
    pub kind: String,
    /// Its id at the gateway.
    pub reference: String,
    /// The path to the sub-account as the gateway wrote it.
    pub context: Option<String>,
    /// Why it must be read.
    pub reason: String,
    /// How often it was raised since it was opened.
    pub raised: i64,
    /// How often it was asked.
    pub attempts: i64,
    /// How asking ended the last time.
    pub last_outcome: Option<String>,
    /// When it was raised.
    pub created_at: Timestamp,
    /// When it is asked next; while somebody asks, when it would be another's.
    pub due_at: Timestamp,
    /// The receipt that raised it first.
    pub receipt: Uuid,
}

/// How many wants of one gateway are open for one reason.
#[derive(Clone, Debug)]
pub struct OpenWants {
    /// The gateway.
    pub gateway: Gateway,
    /// The reason.
    pub reason: WantReason,
    /// How many.
    pub open: i64,
    /// When the oldest was raised.
    pub since: Timestamp,
}

#[derive(FromRow)]
struct OpenRecord {
    provider_v2: String,
    reason: String,
    open: i64,
    since: Moment,
}

#[derive(FromRow)]
struct Record {
    id: Uuid,
    account: String,
    tenant: String,
    kind: String,
    reference: String,
    context: Option<String>,
    reason: String,
    raised: i64,
    attempts: i64,
    last_outcome: Option<String>,
    created_at: Moment,
    due_at: Moment,
    receipt_id: Uuid,
}

impl TryFrom<Record> for WantView {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<WantView, StoreError> {
        Ok(WantView {
            id: row.id,
            account: row.account,
            tenant: row.tenant,
            kind: row.kind,
            reference: row.reference,
            context: row.context,
            reason: row.reason,
            raised: row.raised,
            attempts: row.attempts,
            last_outcome: row.last_outcome,
            created_at: row.created_at.read(TABLE, "created_at")?,
            due_at: row.due_at.read(TABLE, "due_at")?,
            receipt: row.receipt_id,
        })
    }
}

impl Store {
    /// Open wants, oldest first.
    pub async fn wants(&self, account: Option<&str>, limit: u32) -> Result<Vec<WantView>, StoreError> {
        let rows: Vec<Record> = fetch!(self, fetch_all, WANTS, account, None::<Uuid>, i64::from(limit))?;
        rows.into_iter().map(WantView::try_from).collect()
    }

    /// The open want of this id.
    pub async fn want(&self, id: Uuid) -> Result<Option<WantView>, StoreError> {
        let row: Option<Record> = fetch!(self, fetch_optional, WANTS, None::<&str>, Some(id), 1_i64)?;
        row.map(WantView::try_from).transpose()
    }

    /// Open wants by gateway and reason.
    pub async fn open_wants(&self) -> Result<Vec<OpenWants>, StoreError> {
        let rows: Vec<OpenRecord> = fetch!(self, fetch_all, OPEN)?;
        rows.into_iter()
            .map(|row| {
                Ok(OpenWants {
                    gateway: word(TABLE, "provider_v2", &row.provider_v2)?,
                    reason: word(TABLE, "reason", &row.reason)?,
                    open: row.open,
                    since: row.since.read(TABLE, "created_at")?,
                })
            })
            .collect()
    }
}
