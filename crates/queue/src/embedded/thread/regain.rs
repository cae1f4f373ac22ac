//! What happens after reading or writing the file failed in a commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;
use tracing::{error, info};

use super::Writer;
use crate::embedded::RETURN_DELAY;
use crate::embedded::shared::Command;
use crate::error::{PublishError, QueueError, StorageError};

/// How long it waits before it tries again to open a file that failed.
const REOPEN_EVERY: Duration = Duration::from_secs(1);
/// How long whoever asks meanwhile waits for his refusal at most.
const REFUSED_WITHIN: Duration = Duration::from_millis(5);

impl Writer {
    /// Opens the file anew, as a new process would, until that works. Nothing is acknowledged or handed out meanwhile, and the
    /// queue is unhealthy: what a failed sync should have written can be read and may be on no disk.
    pub(super) fn regain(&mut self, commands: &mut mpsc::Receiver<Command>) {
        while let Err(error) = self.reopen() {
            if self.shared.failed(&error) {
                error!(error = %error, "The queue's file cannot be opened anew, trying on");
            }
            let again = Instant::now() + REOPEN_EVERY;
            while Instant::now() < again {
                match commands.try_recv() {
                    Ok(command) => self.refuse(command, &error, commands),
                    Err(TryRecvError::Empty) => std::thread::sleep(REFUSED_WITHIN),
                    Err(TryRecvError::Disconnected) => return,
                }
            }
        }
    }

    pub(super) fn reopen(&mut self) -> Result<(), StorageError> {
        self.opened.reopen(&self.options).map_err(|error| StorageError::Unopened(Arc::new(error)))?;
        self.list()?;
        self.doubted = false;
        self.shared.recovered();
        info!("The queue's file was opened anew and is whole");
        Ok(())
    }

    pub(super) fn refuse(&mut self, command: Command, error: &StorageError, commands: &mut mpsc::Receiver<Command>) {
        match command {
            Command::Publish(_, reply) => drop(reply.send(Err(PublishError::Storage(error.clone())))),
            Command::Settle(settled, reply) => {
                for (ticket, attempt, _) in settled {
                    self.lines.back(ticket, attempt, self.shared.clock.due(RETURN_DELAY));
                }
                drop(reply.send(Err(QueueError::Storage(error.clone()))));
            }
            Command::Take(_, reply) => drop(reply.send(Err(error.clone()))),
            Command::Look => {}
            Command::Close => commands.close(),
        }
    }
}
