//! The desk of dead letters, read from the table and never from a queue.

use afluente_model::Timestamp;
use bytes::Bytes;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
use crate::dead::DeadReason;
use crate::error::StoreError;
use crate::rows::{Statement, text};

static LETTERS: Statement = text!("report/dead_letters");
pub(crate) static MESSAGE: Statement = text!("report/dead_message");

/// Which dead letters, newest first.
#[derive(Clone, Debug, Default)]
pub struct DeadFilter {
    /// Only this one.
    pub id: Option<Uuid>,
    /// With this reason.
    pub reason: Option<DeadReason>,
    /// Of this account.
    pub account: Option<String>,
    /// Of this gateway, by slug.
    pub gateway: Option<String>,
    /// That came here at this time or later.
    pub since: Option<Timestamp>,
    /// Settled ones too.
    pub settled: bool,
    /// At most this many.
    pub limit: u32,
}

/// One dead letter.
#[derive(Clone, Debug)]
pub struct DeadView {
    /// Its id.
    pub id: Uuid,
    /// The delivery.
    pub delivery_id: Uuid,
    /// The gateway's slug.
    pub gateway: String,
    /// The account, if known.
    pub account: Option<String>,
    /// Why.
    pub reason: String,
    /// The chain of causes.
    pub error: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it first came.
    pub first_seen_at: Timestamp,
    /// When it last came here.
    pub last_seen_at: Timestamp,
    /// How often it came here.
    pub seen: i64,
    /// OPEN, REPLAYED or DISCARDED.
    pub state: String,
    /// Who settled it.
    pub settled_by: Option<String>,
    /// And why.
    pub settled_because: Option<String>,
    /// Size of the body.
    pub body_bytes: i64,
    /// SHA-256 of the body; none on a letter that was buried before hashes were kept.
    pub body_hash: Option<Vec<u8>>,
}

/// What a dead letter holds: the message as it came off the queue. Never shown.
#[derive(Clone, Debug)]
pub struct DeadMessage {
    /// The sealed head.
    pub head: Bytes,
    /// The body, byte for byte.
    pub body: Bytes,
}

#[derive(FromRow)]
struct Record {
    id: Uuid,
    delivery_id: Uuid,
    gateway: String,
    account: Option<String>,
    reason: String,
    error: String,
    attempts: i64,
    first_seen_at: Moment,
    last_seen_at: Moment,
    seen: i64,
    state: String,
    settled_by: Option<String>,
    settled_because: Option<String>,
    body_bytes: i64,
    body_hash: Option<Vec<u8>>,
}

impl Store {
    /// The dead letters that match, without what they hold: a list of large ones must not fill the memory.
    pub async fn dead_letters(&self, filter: &DeadFilter) -> Result<Vec<DeadView>, StoreError> {
        let rows: Vec<Record> = fetch!(
            self,
            fetch_all,
            LETTERS,
            filter.id,
            filter.reason.map(DeadReason::as_str),
            filter.account.as_deref(),
            filter.gateway.as_deref(),
            filter.settled,
            i64::from(filter.limit),
            filter.since.map(Moment::from)
        )?;
        rows.into_iter().map(DeadView::try_from).collect()
    }

    /// What one dead letter holds.
    pub async fn dead_message(&self, id: Uuid) -> Result<Option<DeadMessage>, StoreError> {
        let row: Option<(Vec<u8>, Vec<u8>)> = fetch!(self, fetch_optional, MESSAGE, id)?;
        Ok(row.map(|(head, body)| DeadMessage { head: head.into(), body: body.into() }))
    }
}

impl TryFrom<Record> for DeadView {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<DeadView, StoreError> {
        Ok(DeadView {
            id: row.id,
            delivery_id: row.delivery_id,
            gateway: row.gateway,
            account: row.account,
            reason: row.reason,
            error: row.error,
            attempts: row.attempts,
            first_seen_at: row.first_seen_at.read("dead_letters", "first_seen_at")?,
            last_seen_at: row.last_seen_at.read("dead_letters", "last_seen_at")?,
            seen: row.seen,
            state: row.state,
            settled_by: row.settled_by,
            settled_because: row.settled_because,
            body_bytes: row.body_bytes,
            body_hash: row.body_hash,
        })
    }
}
