//! The writing thread: commands in, one transaction and one fsync for all of them, answers out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use afluente_model::{DeliveryId, Gateway};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::file::Opened;
use super::lines::Lines;
use super::shared::{Command, Shared, Signal, Taker};
use super::{EmbeddedOptions, GROUP, LONGEST_DELAY, RETURN_DELAY};
use crate::error::{PublishError, QueueError, StorageError};
use crate::received::{Received, Settlement, Ticket};
use crate::wire::Sealed;

const INSERT: &str =
    "insert into messages (seq, id, gateway, attempt, due_at, size, head, body) values (?, ?, ?, 0, 0, ?, ?, ?)";
const DELETE: &str = "delete from messages where seq = ?";
const DELAY: &str = "update messages set attempt = ?, due_at = ? where seq = ?";
const READ: &str = "select id, head, body from messages where seq = ?";
const LIST: &str = "select seq, gateway, attempt, due_at, size from messages order by seq";

type Publishing = (Sealed, oneshot::Sender<Result<(), PublishError>>);
type Settling = (Vec<(Ticket, u32, Settlement)>, oneshot::Sender<Result<(), QueueError>>);

/// What the thread owns.
pub(super) struct Writer {
    opened: Opened,
    shared: Arc<Shared>,
    lines: Lines,
    next_seq: i64,
    message_limit_bytes: u64,
}

/// What one group of commands will change once it has committed.
#[derive(Default)]
struct Group {
    publishing: Vec<Publishing>,
    settling: Vec<Settling>,
    closing: Vec<oneshot::Sender<()>>,
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn micros(delay: Duration) -> i64 {
    i64::try_from(delay.min(LONGEST_DELAY).as_micros()).unwrap_or(i64::MAX)
}

impl Writer {
    /// Lists what the file holds. What was in flight when the last process ended is ready again.
    pub(super) fn new(opened: Opened, options: &EmbeddedOptions, shared: Arc<Shared>) -> Result<Writer, StorageError> {
        let (mut lines, mut next_seq) = (Lines::new(), 1);
        {
            let mut list = opened.connection.prepare(LIST)?;
            let mut rows = list.query([])?;
            while let Some(row) = rows.next()? {
                let (seq, gateway): (i64, String) = (row.get(0)?, row.get(1)?);
                // A gateway we do not know was written by a newer version; its message is handed out and dead-lettered.
                let gateway = Gateway::from_slug(&gateway).unwrap_or(Gateway::Stripe);
                lines.add(Ticket { gateway, seq, size: row.get(4)? }, row.get(2)?, row.get(3)?);
                next_seq = seq + 1;
            }
        }
        shared.tell(lines.depth(), lines.signal());
        Ok(Writer { opened, shared, lines, next_seq, message_limit_bytes: options.message_limit_bytes })
    }

    /// Works until it is told to close, or nobody is left who could tell it anything.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut taken = Vec::with_capacity(GROUP);
        while commands.blocking_recv_many(&mut taken, GROUP) > 0 {
            let mut group = Group::default();
            self.put_back();
            for command in taken.drain(..) {
                match command {
                    Command::Publish(message, reply) => group.publishing.push((message, reply)),
                    Command::Settle(settled, reply) => group.settling.push((settled, reply)),
                    Command::Take(most, reply) => self.hand_out(most, reply),
                    Command::Look => {}
                    Command::Close(reply) => group.closing.push(reply),
                }
            }
            let closing = std::mem::take(&mut group.closing);
            self.work(group);
            self.shared.tell(self.lines.depth(), self.lines.signal());
            if !closing.is_empty() {
                commands.close();
                self.finish();
                for reply in closing {
                    // Whoever asked may be gone.
                    let _ = reply.send(());
                }
                return;
            }
        }
        self.finish();
    }

    /// Moves the log into the file, lets go of file and lock, and tells everybody who waits.
    fn finish(self) {
        // A failed checkpoint loses nothing: the log is read at the next open.
        let _ = self.opened.connection.execute_batch("pragma wal_checkpoint(truncate)");
        drop(self.opened);
        self.shared.signal.send_replace(Signal { closed: true, ..Signal::default() });
    }

    /// What was dropped unsettled waits a little. The attempt is written when it is settled; a crash forgets it.
    fn put_back(&mut self) {
        let due_at = now() + micros(RETURN_DELAY);
        for (ticket, attempt) in self.shared.take_given_back() {
            self.lines.back(ticket, attempt, due_at);
        }
    }

    fn hand_out(&mut self, most: usize, taker: Taker) {
        let due = self.lines.take(most, now());
        let (mut messages, mut failed) = (Vec::with_capacity(due.len()), None);
        for (ticket, attempt) in due {
            match read(&self.opened.connection, ticket) {
                Ok(sealed) => messages.push(Received {
                    shared: Arc::clone(&self.shared),
                    ticket,
                    sealed,
                    attempt,
                    settled: false,
                }),
                Err(error) => {
                    // One page that cannot be read must not hold up the others.
                    self.lines.back(ticket, attempt, now() + micros(RETURN_DELAY));
                    failed = Some(StorageError::from(error));
                }
            }
        }
        self.shared.healthy.store(failed.is_none(), Ordering::Relaxed);
        let answer = match failed {
            Some(error) if messages.is_empty() => Err(error),
            Some(_) | None => Ok(messages),
        };
        // Dropped unheard, messages give themselves back.
        drop(taker.send(answer));
    }

    fn work(&mut self, group: Group) {
        let publishing = self.admit(group.publishing);
        if publishing.is_empty() && group.settling.is_empty() {
            return;
        }
        let first_seq = self.next_seq;
        let started = now();
        let written = write(&mut self.opened.connection, first_seq, started, &publishing, &group.settling);
        self.shared.healthy.store(written.is_ok(), Ordering::Relaxed);
        match written {
            Ok(()) => self.committed(started, publishing, group.settling),
            Err(error) => self.failed(&StorageError::from(error), publishing, group.settling),
        }
    }

    /// Refuses what is too large or does not fit any more, counting what this group adds.
    fn admit(&self, publishing: Vec<Publishing>) -> Vec<Publishing> {
        let mut held = self.lines.bytes();
        let mut admitted = Vec::with_capacity(publishing.len());
        for (message, reply) in publishing {
            let size = message.size();
            let refusal = if size > self.message_limit_bytes {
                Some(PublishError::TooLarge { message_bytes: size, limit_bytes: self.message_limit_bytes })
            } else if held + size > self.shared.limit_bytes {
                Some(PublishError::Full { held_bytes: held, message_bytes: size, limit_bytes: self.shared.limit_bytes })
            } else {
                None
            };
            if let Some(refusal) = refusal {
                // A publisher that went away does not need the answer.
                drop(reply.send(Err(refusal)));
            } else {
                held += size;
                admitted.push((message, reply));
            }
        }
        admitted
    }

    fn committed(&mut self, started: i64, publishing: Vec<Publishing>, settling: Vec<Settling>) {
        for (message, reply) in publishing {
            let size = u32::try_from(message.size()).unwrap_or(u32::MAX);
            self.lines.add(Ticket { gateway: message.gateway, seq: self.next_seq, size }, 0, 0);
            self.next_seq += 1;
            drop(reply.send(Ok(())));
        }
        for (settled, reply) in settling {
            for (ticket, attempt, settlement) in settled {
                match settlement {
                    Settlement::Ack => self.lines.gone(ticket),
                    Settlement::RetryAfter(delay) => self.lines.back(ticket, attempt + 1, due(started, delay)),
                }
            }
            drop(reply.send(Ok(())));
        }
    }

    fn failed(&mut self, error: &StorageError, publishing: Vec<Publishing>, settling: Vec<Settling>) {
        let due_at = now() + micros(RETURN_DELAY);
        for (_, reply) in publishing {
            drop(reply.send(Err(PublishError::Storage(error.clone()))));
        }
        for (settled, reply) in settling {
            for (ticket, attempt, _) in settled {
                self.lines.back(ticket, attempt, due_at);
            }
            drop(reply.send(Err(QueueError::Storage(error.clone()))));
        }
    }
}

/// Never zero, which means ready.
fn due(now: i64, delay: Duration) -> i64 {
    (now + micros(delay)).max(1)
}

fn read(connection: &Connection, ticket: Ticket) -> rusqlite::Result<Sealed> {
    connection.prepare_cached(READ)?.query_row([ticket.seq], |row| {
        let id: Vec<u8> = row.get(0)?;
        let (head, body): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
        Ok(Sealed {
            id: DeliveryId(Uuid::from_slice(&id).unwrap_or_default()),
            gateway: ticket.gateway,
            head: head.into(),
            body: body.into(),
        })
    })
}

/// One transaction for the whole group. Dropped on an error, it takes everything back.
fn write(
    connection: &mut Connection,
    first_seq: i64,
    now: i64,
    publishing: &[Publishing],
    settling: &[Settling],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    insert(&transaction, first_seq, publishing)?;
    for (settled, _) in settling {
        for (ticket, attempt, settlement) in settled {
            match settlement {
                Settlement::Ack => transaction.prepare_cached(DELETE)?.execute([ticket.seq])?,
                Settlement::RetryAfter(delay) => {
                    transaction.prepare_cached(DELAY)?.execute(params![attempt + 1, due(now, *delay), ticket.seq])?
                }
            };
        }
    }
    transaction.commit()
}

fn insert(transaction: &Transaction<'_>, first_seq: i64, publishing: &[Publishing]) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(INSERT)?;
    for (seq, (message, _)) in (first_seq..).zip(publishing) {
        let size = u32::try_from(message.size()).unwrap_or(u32::MAX);
        let id = message.id.0.as_bytes().as_slice();
        statement.execute(params![seq, id, message.gateway.slug(), size, &message.head[..], &message.body[..]])?;
    }
    Ok(())
}
