//! A queue whose writing is done step by step, by whoever holds this.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::{Ending, Writer};
use crate::embedded::clock::{Clock, micros};
use crate::embedded::handle::Embedded;
use crate::embedded::shared::Command;
use crate::embedded::{EmbeddedOptions, prepare};
use crate::error::OpenError;

/// What the writing thread does, done by the caller when he chooses, at a time that he tells: for tests in which one number
/// decides what happens when. Dropped, it lets go of the file.
pub struct Steps {
    writer: Writer,
    commands: mpsc::Receiver<Command>,
    now: Arc<watch::Sender<i64>>,
    _ending: Ending,
}

impl Steps {
    pub(crate) fn open(options: &EmbeddedOptions, now_micros: i64) -> Result<(Embedded, Steps), OpenError> {
        let now = Arc::new(watch::channel(now_micros).0);
        let (writer, shared, sender, commands) = prepare(options, Clock::moved_by_hand(Arc::clone(&now)))?;
        let ending = Ending(Arc::clone(&shared));
        Ok((Embedded::new(sender, shared), Steps { writer, commands, now, _ending: ending }))
    }

    /// How many commands wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.commands.len()
    }

    /// Carries out so many of the commands that wait, in one commit; returns how many there were. After a commit that could not
    /// be read or written the file is opened anew first; as long as it cannot be, commands are refused.
    pub fn step(&mut self, most: usize) -> usize {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Ok(command) = self.commands.try_recv()
        {
            taken.push(command);
        }
        let carried_out = taken.len();
        match if self.writer.doubted { self.writer.reopen() } else { Ok(()) } {
            Ok(()) => self.writer.carry_out(&mut taken, &mut self.commands),
            Err(error) => {
                for command in taken {
                    self.writer.refuse(command, &error, &mut self.commands);
                }
            }
        }
        carried_out
    }

    /// Moves the clock on.
    pub fn pass(&self, time: Duration) {
        self.now.send_modify(|now| *now = now.saturating_add(micros(time)));
    }
}
