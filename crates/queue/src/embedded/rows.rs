//! The rows of the queue's one table.

use afluente_model::{DeliveryId, Gateway};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::lease::Ticket;
use crate::error::{PublishError, QueueError};
use crate::settlement::Settlement;
use crate::wire::Sealed;

pub(super) const SCHEMA: &str = "
create table messages (
    seq integer primary key,
    id blob not null,
    gateway text not null,
    attempt integer not null,
    due_at integer not null,
    size integer not null,
    head blob not null,
    body blob not null
) strict;";

const INSERT: &str =
    "insert into messages (seq, id, gateway, attempt, due_at, size, head, body) values (?, ?, ?, 0, 0, ?, ?, ?)";
const DELETE: &str = "delete from messages where seq = ?";
const DELAY: &str = "update messages set attempt = ?, due_at = ? where seq = ?";
const READ: &str = "select id, head, body from messages where seq = ?";
const LIST: &str = "select seq, gateway, attempt, due_at, size from messages order by seq";

/// A message to be stored and who waits for it.
pub(super) type Publishing = (Sealed, oneshot::Sender<Result<(), PublishError>>);
/// Messages to be settled, with the time each is due again, and who waits for it.
pub(super) type Settling = (Vec<Settled>, oneshot::Sender<Result<(), QueueError>>);

/// One settlement with its due time fixed.
#[derive(Clone, Copy)]
pub(super) struct Settled {
    pub(super) ticket: Ticket,
    /// How often it had come back when it was taken.
    pub(super) attempt: u32,
    /// When it comes back; `None` when it is acknowledged.
    pub(super) due_at: Option<i64>,
}

impl Settled {
    pub(super) fn new(
        (ticket, attempt, settlement): (Ticket, u32, Settlement),
        clock: &super::clock::Clock,
    ) -> Settled {
        let due_at = match settlement {
            Settlement::Ack => None,
            Settlement::RetryAfter(delay) => Some(clock.due(delay)),
        };
        Settled { ticket, attempt, due_at }
    }

    /// The count it comes back with.
    pub(super) fn next_attempt(&self) -> u32 {
        self.attempt.saturating_add(1)
    }
}

/// Calls `found` for every message: where it is, its attempt, when it is due. The order is that of publishing.
pub(super) fn list(connection: &Connection, mut found: impl FnMut(Ticket, u32, i64)) -> rusqlite::Result<()> {
    let mut list = connection.prepare(LIST)?;
    let mut rows = list.query([])?;
    while let Some(row) = rows.next()? {
        let gateway: String = row.get(1)?;
        // A gateway we do not know was written by a newer version; its message is handed out and dead-lettered.
        let gateway = Gateway::from_slug(&gateway).unwrap_or(Gateway::Stripe);
        found(Ticket { gateway, seq: row.get(0)?, size: row.get(4)? }, row.get(2)?, row.get(3)?);
    }
    Ok(())
}

/// Reads one message; `None` if the row is gone. What is in it is not judged here.
pub(super) fn read(connection: &Connection, ticket: Ticket) -> rusqlite::Result<Option<Sealed>> {
    let mut statement = connection.prepare_cached(READ)?;
    let mut rows = statement.query([ticket.seq])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Sealed {
        id: DeliveryId(Uuid::from_slice(bytes(row, 0)?).unwrap_or_default()),
        gateway: ticket.gateway,
        head: bytes(row, 1)?.to_vec().into(),
        body: bytes(row, 2)?.to_vec().into(),
    }))
}

pub(super) fn bytes<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a [u8]> {
    Ok(match row.get_ref(column)? {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    })
}

/// One transaction for all of it. Dropped on an error, it takes everything back.
pub(super) fn write(
    connection: &mut Connection,
    first_seq: i64,
    publishing: &[Publishing],
    settling: &[Settling],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    insert(&transaction, first_seq, publishing)?;
    for settled in settling.iter().flat_map(|(settled, _)| settled) {
        match settled.due_at {
            None => transaction.prepare_cached(DELETE)?.execute([settled.ticket.seq])?,
            Some(due_at) => {
                let row = params![settled.next_attempt(), due_at, settled.ticket.seq];
                transaction.prepare_cached(DELAY)?.execute(row)?
            }
        };
    }
    transaction.commit()
}

fn insert(transaction: &Transaction<'_>, first_seq: i64, publishing: &[Publishing]) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(INSERT)?;
    for (seq, (message, _)) in (first_seq..).zip(publishing) {
        let id = message.id.0.as_bytes().as_slice();
        let slug = message.gateway.slug();
        statement.execute(params![seq, id, slug, size(message), &message.head[..], &message.body[..]])?;
    }
    Ok(())
}

/// Bytes of head and body. A message is bounded far below 4 GiB before it comes here.
pub(super) fn size(message: &Sealed) -> u32 {
    u32::try_from(message.size()).unwrap_or(u32::MAX)
}
