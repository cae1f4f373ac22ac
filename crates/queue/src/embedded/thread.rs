//! The writing thread: commands in, one transaction and one fsync for all of them, answers out.

mod regain;
mod steps;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::mpsc;
use tracing::{error, info};

pub use steps::Steps;

use super::file::Opened;
use super::lease::{Lease, Ticket};
use super::lines::Lines;
use super::rows::{self, Publishing, Settled, Settling};
use super::shared::{Command, Shared, Signal, Taker};
use super::{EmbeddedOptions, GROUP, LONGEST_DELAY, RETURN_DELAY};
use crate::error::{PublishError, QueueError, StorageError};
use crate::settlement::Handed;

/// When a message is tried again whose row could not be read.
const UNREADABLE_DELAY: Duration = Duration::from_secs(60);
/// Free pages that are worth keeping for the next flood: 32 MiB.
const SPARE_PAGES: i64 = 4_096;
/// Free pages given back to the disk at a time: 4 MiB.
const PAGES_A_TIME: i64 = 512;
/// How often the file may be made smaller.
const SHRINK_EVERY: Duration = Duration::from_secs(1);

/// What the thread owns.
pub(super) struct Writer {
    opened: Opened,
    options: EmbeddedOptions,
    shared: Arc<Shared>,
    lines: Lines,
    next_seq: i64,
    /// Reading or writing the file failed in a commit: until it was opened anew nothing of it is trusted.
    doubted: bool,
    shrunk: Instant,
}

/// What is to be written in one commit.
#[derive(Default)]
struct Group {
    publishing: Vec<Publishing>,
    settling: Vec<Settling>,
}

/// Says that it is over, also when the thread panics: nobody may wait for a thread that is gone.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.signal.send_replace(Signal { closed: true, ..Signal::default() });
    }
}

impl Writer {
    /// Lists what the file holds. What was in flight when the last process ended is ready again.
    pub(super) fn new(opened: Opened, options: &EmbeddedOptions, shared: Arc<Shared>) -> Result<Writer, StorageError> {
        let mut writer = Writer {
            opened,
            options: options.clone(),
            shared,
            lines: Lines::new(),
            next_seq: 1,
            doubted: false,
            shrunk: Instant::now(),
        };
        writer.list()?;
        Ok(writer)
    }

    /// Reads from the file what is ready and what waits; what somebody works on stays in his hands.
    fn list(&mut self) -> Result<(), StorageError> {
        let in_flight = self.lines.in_flight();
        let (mut lines, mut next_seq) = (Lines::new(), self.next_seq);
        // Written by a clock that ran ahead, a message would otherwise wait for that time to come.
        let latest = self.shared.clock.due(LONGEST_DELAY);
        rows::list(&self.opened.connection, |ticket, attempt, due_at| {
            if in_flight.contains(&ticket.seq) {
                lines.hold(ticket);
            } else {
                lines.add(ticket, attempt, due_at.min(latest));
            }
            next_seq = next_seq.max(ticket.seq + 1);
        })?;
        (self.lines, self.next_seq) = (lines, next_seq);
        self.tell();
        Ok(())
    }

    /// Works until it is told to close and has done what was asked before, or nobody is left who could ask.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let _ending = Ending(Arc::clone(&self.shared));
        let mut taken = Vec::with_capacity(GROUP);
        while commands.blocking_recv_many(&mut taken, GROUP) > 0 {
            self.carry_out(&mut taken, &mut commands);
            if self.doubted {
                self.regain(&mut commands);
            }
            self.shrink();
        }
        self.finish();
    }

    /// Carries out commands, with one commit for all of them.
    fn carry_out(&mut self, taken: &mut Vec<Command>, commands: &mut mpsc::Receiver<Command>) {
        let mut group = Group::default();
        self.put_back();
        for command in taken.drain(..) {
            match command {
                Command::Publish(message, reply) => group.publishing.push((message, reply)),
                Command::Settle(settled, reply) => {
                    let clock = &self.shared.clock;
                    group.settling.push((settled.into_iter().map(|one| Settled::new(one, clock)).collect(), reply));
                }
                Command::Take(most, reply) => self.hand_out(most, reply),
                Command::Look => {}
                Command::Close => commands.close(),
            }
        }
        self.work(group);
    }

    /// Moves the log into the file and lets go of file and lock.
    fn finish(self) {
        // A failed checkpoint loses nothing: the log is read at the next open.
        let _ = self.opened.connection.execute_batch("pragma wal_checkpoint(truncate)");
        drop(self.opened);
    }

    /// What was dropped unsettled waits a little. The attempt is written when it is settled; a crash forgets it.
    fn put_back(&mut self) {
        for (ticket, attempt) in self.shared.take_given_back() {
            self.lines.back(ticket, attempt, self.shared.clock.due(RETURN_DELAY));
        }
    }

    fn hand_out(&mut self, most: usize, taker: Taker) {
        let due = self.lines.take(most, self.options.take_bytes, self.shared.clock.now());
        let (mut messages, mut failed) = (Vec::with_capacity(due.len()), None);
        for (ticket, attempt) in due {
            match rows::read(&self.opened.connection, ticket) {
                Ok(Some(sealed)) => {
                    let lease = Lease::new(Arc::clone(&self.shared), ticket, attempt);
                    messages.push(Handed { sealed, attempt, given_up: None, lease });
                }
                Ok(None) => {
                    error!(gateway = %ticket.gateway.slug(), "A queued message was removed from the file by somebody else");
                    self.lines.gone(ticket);
                }
                Err(error) => failed = Some(self.unreadable(ticket, attempt, error)),
            }
        }
        let answer = match failed {
            Some(error) if messages.is_empty() => Err(error),
            Some(_) | None => Ok(messages),
        };
        self.tell();
        // Dropped unheard, messages give themselves back.
        drop(taker.send(answer));
    }

    /// One page that cannot be read must not hold up the others, and its row must not be taken for settled.
    fn unreadable(&mut self, ticket: Ticket, attempt: u32, error: rusqlite::Error) -> StorageError {
        let error = StorageError::from(error);
        error!(gateway = %ticket.gateway.slug(), error = %error, "Cannot read a queued message, trying again in a minute");
        self.shared.failed(&error);
        self.lines.back(ticket, attempt, self.shared.clock.due(UNREADABLE_DELAY));
        error
    }

    /// Commits a group. If that fails, its settlements are tried once more alone: they free room, and while publishers
    /// keep a full disk busy no group would ever be without them. Counts are right before anybody is answered.
    fn work(&mut self, group: Group) {
        let Group { publishing, settling } = group;
        let publishing = self.admit(publishing);
        let all = self.commit(&publishing, &settling);
        let settled = match &all {
            Err(_) if !publishing.is_empty() && !self.doubted => self.commit(&[], &settling),
            same => same.clone(),
        };
        if all.is_ok() {
            self.stored(&publishing);
        }
        self.settled(&settling, settled.is_ok());
        self.tell();
        for (_, reply) in publishing {
            drop(reply.send(all.clone().map_err(PublishError::Storage)));
        }
        for (_, reply) in settling {
            drop(reply.send(settled.clone().map_err(QueueError::Storage)));
        }
    }

    fn commit(&mut self, publishing: &[Publishing], settling: &[Settling]) -> Result<(), StorageError> {
        if publishing.is_empty() && settling.is_empty() {
            return Ok(());
        }
        match rows::write(&mut self.opened.connection, self.next_seq, publishing, settling) {
            Ok(()) => {
                if self.shared.recovered() {
                    info!("The queue can be written again");
                }
                Ok(())
            }
            Err(error) => {
                let error = StorageError::from(error);
                self.doubted = matches!(error, StorageError::Io(_));
                if self.shared.failed(&error) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    error!(error = %format_args!("{error}: {cause}"), "The queue cannot be written, trying on");
                }
                Err(error)
            }
        }
    }

    /// Refuses what is too large or does not fit any more, counting what this group adds. Whoever has stopped waiting
    /// has told its sender that we do not have the message, so we do not take it.
    fn admit(&self, publishing: Vec<Publishing>) -> Vec<Publishing> {
        let mut held = self.lines.bytes();
        let mut admitted = Vec::with_capacity(publishing.len());
        for (message, reply) in publishing {
            if reply.is_closed() {
                continue;
            }
            if let Some(refusal) = self.refusal(message.size(), held) {
                drop(reply.send(Err(refusal)));
                continue;
            }
            held += message.size();
            admitted.push((message, reply));
        }
        admitted
    }

    fn refusal(&self, message_bytes: u64, held_bytes: u64) -> Option<PublishError> {
        let limit_bytes = self.shared.limit_bytes;
        if message_bytes > self.options.message_limit_bytes {
            Some(PublishError::TooLarge { message_bytes, limit_bytes: self.options.message_limit_bytes })
        } else if held_bytes + message_bytes > limit_bytes {
            Some(PublishError::Full { held_bytes, message_bytes, limit_bytes })
        } else {
            None
        }
    }

    fn stored(&mut self, publishing: &[Publishing]) {
        for (message, _) in publishing {
            let ticket = Ticket { gateway: message.gateway, seq: self.next_seq, size: rows::size(message) };
            self.lines.add(ticket, 0, 0);
            self.next_seq += 1;
        }
    }

    /// What was not written comes back as it was taken: a full disk is not the message's fault.
    fn settled(&mut self, settling: &[Settling], written: bool) {
        for one in settling.iter().flat_map(|(settled, _)| settled) {
            match one.due_at {
                _ if !written => self.lines.back(one.ticket, one.attempt, self.shared.clock.due(RETURN_DELAY)),
                None => self.lines.gone(one.ticket),
                Some(due_at) => self.lines.back(one.ticket, one.next_attempt(), due_at),
            }
        }
    }

    fn tell(&self) {
        self.shared.tell(self.lines.depth(), self.lines.signal());
    }

    /// Gives pages back to the disk, a few at a time, once most of the file is free.
    fn shrink(&mut self) {
        if !may_shrink(self.shrunk.elapsed()) {
            return;
        }
        self.shrunk = Instant::now();
        if let Err(error) = shrink(&self.opened.connection) {
            // The pages stay free for new messages.
            self.shared.failed(&StorageError::from(error));
        }
    }
}

/// So long after it was made smaller, or opened.
fn may_shrink(since: Duration) -> bool {
    since >= SHRINK_EVERY
}

fn shrink(connection: &Connection) -> rusqlite::Result<()> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let free = number("freelist_count")?;
    if free < SPARE_PAGES || free < number("page_count")? / 2 {
        return Ok(());
    }
    // One step frees one page.
    let mut steps = connection.prepare(&format!("pragma incremental_vacuum({PAGES_A_TIME})"))?;
    let mut steps = steps.query([])?;
    while steps.next()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_smaller_once_in_a_while() {
        let asked = [Duration::ZERO, SHRINK_EVERY / 2, SHRINK_EVERY, SHRINK_EVERY * 100];
        assert_eq!(asked.map(may_shrink), [false, false, true, true]);
    }

    /// How many pages a file that held so many messages of four megabytes gives back when so many of them are gone.
    fn given_back(messages: i64, gone: i64) -> i64 {
        let folder = tempfile::tempdir().unwrap();
        let opened = super::super::file::open(&EmbeddedOptions::new(folder.path())).unwrap();
        let db = &opened.connection;
        let pages = || db.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0)).unwrap();
        for seq in 1..=messages {
            let large = "insert into messages values (?, x'', '', 0, 0, 0, x'', zeroblob(4000000))";
            db.execute(large, [seq]).unwrap();
        }
        db.execute("delete from messages where seq <= ?", [gone]).unwrap();
        let full = pages();
        shrink(db).unwrap();
        full - pages()
    }

    #[test]
    fn a_file_is_made_smaller_a_step_at_a_time_once_most_of_it_is_free() {
        assert_eq!(given_back(10, 0), 0, "nothing is free");
        assert_eq!(given_back(10, 8), 0, "less than is worth keeping is free, though it is most of the file");
        assert_eq!(given_back(20, 9), 0, "less than half is free, though it is more than is worth keeping");
        // SQLite's own map of the pages that went goes with them.
        assert!((PAGES_A_TIME..=PAGES_A_TIME + 2).contains(&given_back(10, 10)));
    }
}
