//! Consuming: a channel for each queue, whose one owner knows its tags and sends its acknowledgements.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer, ErrorKind};
use metrics::{counter, gauge};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{error, info};

use super::lease::{Command, Lease};
use super::link::Work;
use super::message::{given_up, sealed};
use super::shelf::Shelf;
use super::tags::Tags;
use super::topology::{Holds, Topology};
use crate::embedded::RETURN_DELAY;
use crate::settlement::Handed;

/// What nobody wanted for this long goes back to its queue, where another worker can have it. Well below any consumer
/// timeout, so that the broker never has to end a channel for a ledger that is away.
const UNWANTED_AFTER: Duration = Duration::from_secs(5);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the broker may take to let us consume before that is told.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Messages that are here at most of a queue of hints, which nobody proved to be worth more, or of what was given up.
const FEW: u16 = 32;

/// Brings messages to the shelf, over a channel for each queue: one that does not answer holds up no other.
pub(crate) struct Bringer {
    pub(crate) topology: Topology,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) prefetch: u16,
}

impl Work for Bringer {
    async fn on(&mut self, connection: &Connection) -> lapin::Result<()> {
        let held = AtomicUsize::new(0);
        let taps = self.topology.taken().into_iter().map(|(queue, holds)| self.tap(connection, queue, holds, &held));
        let ended = try_join_all(taps).await.map(|_| ());
        // Their channels are gone: the broker gives them to somebody else.
        drop(self.shelf.clear());
        gauge!("afluente_broker_unacknowledged").set(0.0);
        ended
    }
}

impl Bringer {
    async fn tap(&self, connection: &Connection, queue: String, holds: Holds, held: &AtomicUsize) -> lapin::Result<()> {
        let channel = connection.create_channel().await?;
        let prefetch = if holds == Holds::Deliveries { self.prefetch } else { self.prefetch.min(FEW) };
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let (sender, commands) = mpsc::unbounded_channel();
        let (tags, returns) = (Tags::default(), Vec::new());
        Tap { channel, queue, holds, shelf: &self.shelf, sender, tags, returns, held }.run(commands).await
    }
}

/// A channel that the messages of one queue come through.
struct Tap<'a> {
    channel: Channel,
    queue: String,
    holds: Holds,
    shelf: &'a Shelf,
    sender: mpsc::UnboundedSender<Command>,
    tags: Tags,
    /// Given back, and when each goes to its queue: at once it would be here again at once.
    returns: Vec<(Instant, u64)>,
    /// Messages of all channels that are not settled.
    held: &'a AtomicUsize,
}

impl Tap<'_> {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) -> lapin::Result<()> {
        let mut source = Some(self.subscribe().await?);
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                biased;
                Some(command) = commands.recv() => self.told(command).await?,
                _ = look.tick() => {
                    self.send_returns().await?;
                    let unwanted = self.shelf.unwanted_since().is_some_and(|since| since.elapsed() > UNWANTED_AFTER);
                    if unwanted && let Some(source) = source.take() {
                        self.cancel(source).await?;
                    }
                }
                () = self.shelf.wanted(), if source.is_none() => source = Some(self.subscribe().await?),
                brought = next(&mut source) => match brought {
                    Some(delivery) => self.put(delivery?),
                    None => return Err(failed(format!("the broker cancelled our consumer of {}", self.queue))),
                }
            }
        }
    }

    async fn subscribe(&self) -> lapin::Result<Consumer> {
        let (queue, tag) = (self.queue.as_str(), self.queue.as_str());
        let asked =
            self.channel.basic_consume(queue.into(), tag.into(), BasicConsumeOptions::default(), FieldTable::default());
        tokio::pin!(asked);
        if let Ok(consumer) = timeout(ANSWER_WITHIN, &mut asked).await {
            return consumer;
        }
        error!(
            queue,
            "The broker does not answer for a queue: nothing of it is worked on; look at its leader with `rabbitmq-queues quorum_status`"
        );
        asked.await
    }

    /// Asks for nothing more, and gives back what nobody has taken. What is being worked on stays ours.
    async fn cancel(&mut self, mut source: Consumer) -> lapin::Result<()> {
        if self.tags.len() > 0 {
            info!(queue = self.queue, "Nobody takes messages; they go back to the broker until somebody does");
        }
        self.channel.basic_cancel(self.queue.as_str().into(), BasicCancelOptions::default()).await?;
        while let Some(delivery) = source.next().await {
            self.put(delivery?);
        }
        drop(self.shelf.clear());
        Ok(())
    }

    fn put(&mut self, delivery: Delivery) {
        if delivery.redelivered {
            counter!("afluente_broker_redeliveries_total").increment(1);
        }
        let tag = delivery.delivery_tag;
        self.tags.delivered(tag);
        self.count(self.tags.len() - 1);
        let given_up = (self.holds == Holds::GivenUp).then(|| given_up(&delivery));
        let (sealed, attempt) = sealed(delivery);
        self.shelf.put(Handed { sealed, attempt, given_up, lease: Lease::new(self.sender.clone(), tag) });
    }

    async fn told(&mut self, command: Command) -> lapin::Result<()> {
        match command {
            Command::Ack(tags, reply) => {
                let before = self.tags.len();
                let acks = self.tags.settle(&tags);
                self.count(before);
                for ack in acks {
                    self.channel.basic_ack(ack.tag, BasicAckOptions { multiple: ack.multiple }).await?;
                }
                // Dropped unsent, the reply says that the channel is gone.
                let _ = reply.send(());
            }
            Command::GiveBack(tag) => self.returns.push((Instant::now() + RETURN_DELAY, tag)),
        }
        Ok(())
    }

    /// Tells how many are held by all channels, now that ours holds as many as it does and held `before`.
    fn count(&self, before: usize) {
        let change = self.tags.len().wrapping_sub(before);
        let held = self.held.fetch_add(change, Ordering::Relaxed).wrapping_add(change);
        gauge!("afluente_broker_unacknowledged").set(f64::from(u32::try_from(held).unwrap_or(u32::MAX)));
    }

    async fn send_returns(&mut self) -> lapin::Result<()> {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.returns.drain(..).partition(|(when, _)| *when <= now);
        self.returns = later;
        for (_, tag) in due {
            if self.tags.remove(tag) {
                self.count(self.tags.len() + 1);
                self.channel.basic_nack(tag, BasicNackOptions { multiple: false, requeue: true }).await?;
            }
        }
        Ok(())
    }
}

async fn next(source: &mut Option<Consumer>) -> Option<lapin::Result<Delivery>> {
    match source {
        Some(source) => source.next().await,
        None => std::future::pending().await,
    }
}

fn failed(why: String) -> lapin::Error {
    ErrorKind::IOError(Arc::new(std::io::Error::other(why))).into()
}
