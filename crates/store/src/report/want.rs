//! Open questions for the gateways.

use afluente_model::Timestamp;
use sqlx::FromRow;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::rows::{Statement, text};

static WANTS: Statement = text!("report/wants");

/// One open want.
#[derive(Clone, Debug)]
pub struct WantView {
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
    /// When it was raised.
    pub created_at: Timestamp,
    /// Not to be asked before.
    pub not_before: Timestamp,
}

#[derive(FromRow)]
struct Record {
    account: String,
    tenant: String,
    kind: String,
    reference: String,
    context: Option<String>,
    reason: String,
    raised: i64,
    attempts: i64,
    created_at: Moment,
    not_before: Moment,
}

impl Store {
    /// Open wants, oldest first.
    pub async fn wants(&self, account: Option<&str>, limit: u32) -> Result<Vec<WantView>, StoreError> {
        let rows: Vec<Record> = fetch!(self, fetch_all, WANTS, account, i64::from(limit))?;
        rows.into_iter()
            .map(|row| {
                Ok(WantView {
                    account: row.account,
                    tenant: row.tenant,
                    kind: row.kind,
                    reference: row.reference,
                    context: row.context,
                    reason: row.reason,
                    raised: row.raised,
                    attempts: row.attempts,
                    created_at: row.created_at.read("wants", "created_at")?,
                    not_before: row.not_before.read("wants", "not_before")?,
                })
            })
            .collect()
    }
}
