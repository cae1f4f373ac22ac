//! What contradicts itself, as people look at it.

use afluente_model::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::rows::{Statement, text};

static INCONSISTENCIES: Statement = text!("report/inconsistencies");
const TABLE: &str = "inconsistencies";

/// Which inconsistencies, the one seen last first.
#[derive(Clone, Debug, Default)]
pub struct InconsistencyFilter {
    /// Only this one.
    pub id: Option<Uuid>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this account.
    pub account: Option<String>,
    /// Resolved ones too.
    pub resolved: bool,
    /// At most this many.
    pub limit: u32,
}

/// One inconsistency.
#[derive(Clone, Debug)]
pub struct InconsistencyView {
    /// Its id.
    pub id: Uuid,
    /// Its kind.
    pub kind: String,
    /// The account.
    pub account: Option<String>,
    /// What it is about, e.g. `payment pi_1`.
    pub entity: String,
    /// A sentence for a person, of the last time it was seen.
    pub detail: String,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
    /// How often.
    pub seen: i64,
    /// When somebody resolved it.
    pub resolved_at: Option<Timestamp>,
    /// Who.
    pub resolved_by: Option<String>,
    /// And how.
    pub resolution: Option<String>,
}

#[derive(FromRow)]
struct Record {
    id: Uuid,
    kind: String,
    account: Option<String>,
    entity: String,
    detail: String,
    first_seen_at: Moment,
    last_seen_at: Moment,
    seen: i64,
    resolved_at: Option<Moment>,
    resolved_by: Option<String>,
    resolution: Option<String>,
}

impl Store {
    /// The inconsistencies that match.
    pub async fn inconsistencies(&self, filter: &InconsistencyFilter) -> Result<Vec<InconsistencyView>, StoreError> {
        let rows: Vec<Record> = fetch!(
            self,
            fetch_all,
            INCONSISTENCIES,
            filter.id,
            filter.kind.as_deref(),
            filter.account.as_deref(),
            filter.resolved,
            i64::from(filter.limit)
        )?;
        rows.into_iter().map(InconsistencyView::try_from).collect()
    }
}

impl TryFrom<Record> for InconsistencyView {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<InconsistencyView, StoreError> {
        Ok(InconsistencyView {
            id: row.id,
            kind: row.kind,
            account: row.account,
            entity: row.entity,
            detail: row.detail,
            first_seen_at: row.first_seen_at.read(TABLE, "first_seen_at")?,
            last_seen_at: row.last_seen_at.read(TABLE, "last_seen_at")?,
            seen: row.seen,
            resolved_at: row.resolved_at.map(|at| at.read(TABLE, "resolved_at")).transpose()?,
            resolved_by: row.resolved_by,
            resolution: row.resolution,
        })
    }
}
