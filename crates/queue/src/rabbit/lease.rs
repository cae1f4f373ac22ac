//! The hold on a message the broker has delivered and waits to hear about.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long an acknowledgement may take to be written. A broker that leaves its channel waiting must not hold up a worker.
const ACK_WITHIN: Duration = Duration::from_secs(10);

/// What the task that owns the channel is told. A channel that is gone hears nothing: whatever it held comes again.
pub(crate) enum Command {
    /// These are done with.
    Ack(Vec<u64>, oneshot::Sender<()>),
    /// This one is nobody's any more: back to its queue, in a moment.
    GiveBack(u64),
}

/// Held by whoever works on the message. Dropped unsettled it gives the message back.
///
/// It knows its channel, so a tag is never used on another one.
pub(crate) struct Lease {
    commands: mpsc::UnboundedSender<Command>,
    tag: u64,
    held: bool,
}

impl Lease {
    pub(super) fn new(commands: mpsc::UnboundedSender<Command>, tag: u64) -> Lease {
        Lease { commands, tag, held: true }
    }

    /// Whether both came over one channel.
    pub(super) fn shares_channel(&self, other: &Lease) -> bool {
        self.commands.same_channel(&other.commands)
    }

    /// Acknowledges messages of one channel; false if that is gone, and with it the broker's word that they are ours, or if it
    /// does not get to it.
    pub(super) async fn ack(leases: Vec<Lease>) -> bool {
        let Some(commands) = leases.first().map(|lease| lease.commands.clone()) else { return true };
        let (reply, done) = oneshot::channel();
        let tags = leases.into_iter().map(|mut lease| {
            lease.held = false;
            lease.tag
        });
        let sent = commands.send(Command::Ack(tags.collect(), reply)).is_ok();
        sent && timeout(ACK_WITHIN, done).await.is_ok_and(|done| done.is_ok())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.held {
            let _ = self.commands.send(Command::GiveBack(self.tag));
        }
    }
}
