//! Gaps as somebody looks for them.

use afluente_model::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, fetch};
use crate::cell::{Id, Moment};
use crate::error::StoreError;
use crate::gap::GapTarget;
use crate::rows::{Statement, text};

static GAPS: Statement = text!("report/gaps");
pub(crate) static OPEN: Statement = text!("report/gaps_open");

#[derive(FromRow)]
struct OpenRecord {
    open: i64,
    oldest: Option<Moment>,
    waiting: i64,
}

/// How many gaps are open, and since when the oldest is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenGaps {
    /// How many.
    pub open: u64,
    /// Since when.
    pub oldest: Option<Timestamp>,
    /// And how many wait for a row that somebody else makes or does not.
    pub waiting: u64,
}

/// Which gaps: the open ones, the oldest first; then those that were made good.
#[derive(Clone, Debug, Default)]
pub struct GapFilter {
    /// In this target.
    pub target: Option<GapTarget>,
    /// Of this account.
    pub account: Option<String>,
    /// Those that were repaired too.
    pub repaired: bool,
    /// At most this many.
    pub limit: u32,
}

/// What could not be written, and why.
#[derive(Clone, Debug)]
pub struct GapView {
    /// Its id.
    pub id: Uuid,
    /// `customers` or `legacy`.
    pub target: String,
    /// The account.
    pub account: String,
    /// The gateway's sub-account, empty for none.
    pub tenant: String,
    /// What it is about: `payment`, `customer` …
    pub subject_kind: String,
    /// The gateway's id of that.
    pub subject_id: String,
    /// The class of the error, or a word for what has no place.
    pub reason: String,
    /// The database's words.
    pub detail: String,
    /// A receipt that said what could not be written.
    pub receipt: Option<Uuid>,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// And last.
    pub last_seen_at: Timestamp,
    /// How often.
    pub seen: i64,
    /// When it was made good.
    pub repaired_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct GapRecord {
    id: Id,
    target: String,
    account: String,
    tenant: String,
    subject_kind: String,
    subject_id: String,
    reason: String,
    detail: String,
    receipt_id: Option<Id>,
    first_seen_at: Moment,
    last_seen_at: Moment,
    seen: i64,
    repaired_at: Option<Moment>,
}

impl TryFrom<GapRecord> for GapView {
    type Error = StoreError;

    fn try_from(row: GapRecord) -> Result<GapView, StoreError> {
        let table = "dual_write_gaps";
        Ok(GapView {
            id: row.id.into(),
            target: row.target,
            account: row.account,
            tenant: row.tenant,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            reason: row.reason,
            detail: row.detail,
            receipt: row.receipt_id.map(Uuid::from),
            first_seen_at: row.first_seen_at.read(table, "first_seen_at")?,
            last_seen_at: row.last_seen_at.read(table, "last_seen_at")?,
            seen: row.seen,
            repaired_at: row.repaired_at.map(|at| at.read(table, "repaired_at")).transpose()?,
        })
    }
}

impl Store {
    /// The gaps that match.
    pub async fn gaps(&self, filter: &GapFilter) -> Result<Vec<GapView>, StoreError> {
        let target = filter.target.map(GapTarget::as_str);
        let records: Vec<GapRecord> =
            fetch!(self, fetch_all, GAPS, target, filter.account.as_deref(), filter.repaired, i64::from(filter.limit))?;
        records.into_iter().map(GapView::try_from).collect()
    }

    /// The open gaps in one target.
    pub async fn open_gaps(&self, target: GapTarget) -> Result<OpenGaps, StoreError> {
        let record: OpenRecord = fetch!(self, fetch_one, OPEN, target.as_str())?;
        let oldest = record.oldest.map(|at| at.read("dual_write_gaps", "first_seen_at")).transpose()?;
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        Ok(OpenGaps { open: count(record.open), oldest, waiting: count(record.waiting) })
    }
}
