//! Gaps as somebody looks for them.

use afluente_model::Timestamp;
use sqlx::FromRow;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::gap::GapTarget;
use crate::rows::{Statement, text};

pub(crate) static OPEN: Statement = text!("report/gaps_open");

#[derive(FromRow)]
struct OpenRecord {
    open: i64,
    oldest: Option<Moment>,
}

/// How many gaps are open, and since when the oldest is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenGaps {
    /// How many.
    pub open: u64,
    /// Since when.
    pub oldest: Option<Timestamp>,
}

impl Store {
    /// The open gaps in one target.
    pub async fn open_gaps(&self, target: GapTarget) -> Result<OpenGaps, StoreError> {
        let record: OpenRecord = fetch!(self, fetch_one, OPEN, target.as_str())?;
        let oldest = record.oldest.map(|at| at.read("dual_write_gaps", "first_seen_at")).transpose()?;
        Ok(OpenGaps { open: u64::try_from(record.open).unwrap_or(0), oldest })
    }
}
