//! Lifecycle events: what changed, of one thing or of all.

use afluente_model::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::rows::{Statement, text};

pub(crate) static EVENTS: Statement = text!("report/events");
static LATEST: Statement = text!("report/events_latest");

/// One change of a payment, a subscription, a dead letter or an inconsistency.
#[derive(Clone, Debug)]
pub struct EventView {
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The version it led to.
    pub row_version: i64,
    /// What happened.
    pub kind: String,
    /// Old and new, as a JSON object.
    pub detail: String,
    /// The receipt that brought it.
    pub receipt: Option<Uuid>,
    /// Who.
    pub actor: String,
}

/// Which events, the latest first.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this kind of thing: `payment`, `subscription`, `dead_letter`, `inconsistency`, `want`.
    pub entity_type: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// Recorded at this time or later.
    pub since: Option<Timestamp>,
    /// At most this many.
    pub limit: u32,
}

/// A change, and what it is of.
#[derive(Clone, Debug)]
pub struct EventOf {
    /// The kind of thing.
    pub entity_type: String,
    /// Our id of it.
    pub entity: Uuid,
    /// The gateway's id, where it has one and its row is still there.
    pub reference: Option<String>,
    /// What changed.
    pub event: EventView,
}

#[derive(FromRow)]
struct Record {
    recorded_at: Moment,
    row_version: i64,
    kind: String,
    detail: String,
    receipt_id: Option<Uuid>,
    actor: String,
}

#[derive(FromRow)]
struct RecordOf {
    entity_type: String,
    entity_id: Uuid,
    reference: Option<String>,
    #[sqlx(flatten)]
    event: Record,
}

impl Store {
    /// The changes of one thing, oldest first.
    pub async fn events_of(&self, entity_type: &str, entity: Uuid) -> Result<Vec<EventView>, StoreError> {
        let rows: Vec<Record> = fetch!(self, fetch_all, EVENTS, entity_type, entity)?;
        rows.into_iter().map(EventView::try_from).collect()
    }

    /// The changes that match, of everything.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<EventOf>, StoreError> {
        let rows: Vec<RecordOf> = fetch!(
            self,
            fetch_all,
            LATEST,
            filter.entity_type.as_deref(),
            filter.kind.as_deref(),
            filter.actor.as_deref(),
            filter.since.map(Moment::from),
            i64::from(filter.limit)
        )?;
        rows.into_iter()
            .map(|row| {
                Ok(EventOf {
                    entity_type: row.entity_type,
                    entity: row.entity_id,
                    reference: row.reference,
                    event: row.event.try_into()?,
                })
            })
            .collect()
    }
}

impl TryFrom<Record> for EventView {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<EventView, StoreError> {
        Ok(EventView {
            recorded_at: row.recorded_at.read("lifecycle_events", "recorded_at")?,
            row_version: row.row_version,
            kind: row.kind,
            detail: row.detail,
            receipt: row.receipt_id,
            actor: row.actor,
        })
    }
}
