//! What envelopes claim of people.

use afluente_model::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::rows::{Statement, text};

pub(crate) static OF: Statement = text!("report/claims_of");
static NAMING: Statement = text!("report/claims_naming");
const TABLE: &str = "identity_claims";

/// Everything one envelope said of one subject.
#[derive(Clone, Debug)]
pub struct ClaimView {
    /// The account.
    pub account: String,
    /// The gateway's sub-account, empty for none.
    pub tenant: String,
    /// `customer`, `payment`, `method` …
    pub subject_kind: String,
    /// The subject's id at the gateway.
    pub subject_id: String,
    /// Kinds and values.
    pub claims: Vec<(String, String)>,
    /// The source of the envelope.
    pub source: String,
    /// The newest gateway time it was said at.
    pub at: Option<Timestamp>,
    /// The receipt of that time.
    pub receipt: Uuid,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

#[derive(FromRow)]
pub(super) struct Record {
    account: String,
    tenant: String,
    subject_kind: String,
    subject_id: String,
    claims: String,
    source: String,
    at: Option<Moment>,
    receipt_id: Uuid,
    recorded_at: Moment,
}

impl Store {
    /// What is claimed of whatever has this id at a gateway, by kind and newest first.
    pub async fn claims_of(&self, id: &str, limit: u32) -> Result<Vec<ClaimView>, StoreError> {
        let rows: Vec<Record> = fetch!(self, fetch_all, OF, id, i64::from(limit))?;
        rows.into_iter().map(ClaimView::try_from).collect()
    }

    /// What claims that its customer is this one. Reads every claim there is: for a person who can wait.
    pub async fn claims_naming_customer(&self, id: &str, limit: u32) -> Result<Vec<ClaimView>, StoreError> {
        let pair = serde_json::to_string(&["customer", id]).map_err(|_| StoreError::Over)?;
        let plain = pair.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let rows: Vec<Record> = fetch!(self, fetch_all, NAMING, format!("%{plain}%"), i64::from(limit))?;
        rows.into_iter().map(ClaimView::try_from).collect()
    }
}

impl TryFrom<Record> for ClaimView {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<ClaimView, StoreError> {
        let claims = serde_json::from_str(&row.claims);
        Ok(ClaimView {
            account: row.account,
            tenant: row.tenant,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            claims: claims.map_err(|_| StoreError::unreadable(TABLE, "claims", &row.claims))?,
            source: row.source,
            at: row.at.map(|at| at.read(TABLE, "at")).transpose()?,
            receipt: row.receipt_id,
            recorded_at: row.recorded_at.read(TABLE, "recorded_at")?,
        })
    }
}
