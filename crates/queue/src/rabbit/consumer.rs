//! Consuming: one task owns the channel, its tags and its acknowledgements.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{SelectAll, StreamExt, select_all};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer, ErrorKind};
use metrics::{counter, gauge};
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::lease::{Command, Lease};
use super::link::Work;
use super::message::sealed;
use super::shelf::Shelf;
use super::tags::Tags;
use super::topology::Topology;
use crate::embedded::RETURN_DELAY;
use crate::settlement::Handed;

/// What nobody wanted for this long goes back to its queue, where another worker can have it. Well below any consumer
/// timeout, so that the broker never has to end a channel for a ledger that is away.
const UNWANTED_AFTER: Duration = Duration::from_secs(5);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Messages of one queue of hints on their way at most: nobody proved that they are worth more.
const HINTS: u16 = 32;

/// Brings messages to the shelf.
pub(crate) struct Bringer {
    pub(crate) topology: Topology,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) prefetch: u16,
}

impl Work for Bringer {
    async fn on(&mut self, connection: &Connection) -> lapin::Result<()> {
        let channel = connection.create_channel().await?;
        let (sender, commands) = mpsc::unbounded_channel();
        let tap = Tap { channel, of: self, sender, tags: Tags::default(), returns: Vec::new() };
        let ended = tap.run(commands).await;
        // Their channel is gone: the broker gives them to somebody else.
        drop(self.shelf.clear());
        gauge!("afluente_broker_unacknowledged").set(0.0);
        ended
    }
}

/// A channel that messages come through.
struct Tap<'a> {
    channel: Channel,
    of: &'a Bringer,
    sender: mpsc::UnboundedSender<Command>,
    tags: Tags,
    /// Given back, and when each goes to its queue: at once it would be here again at once.
    returns: Vec<(Instant, u64)>,
}

/// A consumer each queue, or nothing while nobody wants messages.
type Sources = Option<SelectAll<Source>>;
/// What a queue brings; its end is an item like every other, or nobody would notice it.
type Source = futures_util::stream::BoxStream<'static, lapin::Result<Option<Delivery>>>;

impl Tap<'_> {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) -> lapin::Result<()> {
        let mut sources = Some(self.subscribe().await?);
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                biased;
                Some(command) = commands.recv() => self.told(command).await?,
                _ = look.tick() => {
                    self.send_returns().await?;
                    if sources.is_some() && self.of.shelf.unwanted_since().is_some_and(|since| since.elapsed() > UNWANTED_AFTER) {
                        self.cancel(&mut sources).await?;
                    }
                }
                () = self.of.shelf.wanted(), if sources.is_none() => {
                    debug!("Messages are wanted again");

                    sources = Some(self.subscribe().await?);
                }
                brought = next(&mut sources) => match brought? {
                    Some(delivery) => self.put(delivery),
                    None => return Err(ErrorKind::IOError(Arc::new(std::io::Error::other("the broker cancelled a consumer: is its queue gone?"))).into()),
                }
            }
            gauge!("afluente_broker_unacknowledged").set(f64::from(u32::try_from(self.tags.len()).unwrap_or(u32::MAX)));
        }
    }

    async fn subscribe(&self) -> lapin::Result<SelectAll<Source>> {
        let mut sources = Vec::new();
        for (queue, hints) in self.of.topology.taken() {
            let prefetch = if hints { self.of.prefetch.min(HINTS) } else { self.of.prefetch };
            self.channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
            let tag = consumer_tag(&queue);
            let consumer = self
                .channel
                .basic_consume(queue.into(), tag.into(), BasicConsumeOptions::default(), FieldTable::default())
                .await?;
            sources.push(source(consumer));
        }
        Ok(select_all(sources))
    }

    /// Asks for nothing more, and gives back what nobody has taken. What is being worked on stays ours.
    async fn cancel(&mut self, sources: &mut Sources) -> lapin::Result<()> {
        let Some(mut brought) = sources.take() else { return Ok(()) };
        info!("Nobody takes messages; they go back to the broker until somebody does");
        for (queue, _) in self.of.topology.taken() {
            self.channel.basic_cancel(consumer_tag(&queue).into(), BasicCancelOptions::default()).await?;
        }
        while let Some(delivery) = brought.next().await {
            if let Some(delivery) = delivery? {
                self.put(delivery);
            }
        }

        for message in self.of.shelf.clear() {
            drop(message);
        }
        Ok(())
    }

    fn put(&mut self, delivery: Delivery) {
        if delivery.redelivered {
            counter!("afluente_broker_redeliveries_total").increment(1);
        }
        let tag = delivery.delivery_tag;
        self.tags.delivered(tag);
        let (sealed, attempt) = sealed(delivery);
        self.of.shelf.put(Handed { sealed, attempt, lease: Lease::new(self.sender.clone(), tag) });
    }

    async fn told(&mut self, command: Command) -> lapin::Result<()> {
        match command {
            Command::Ack(tags, reply) => {
                for ack in self.tags.settle(&tags) {
                    self.channel.basic_ack(ack.tag, BasicAckOptions { multiple: ack.multiple }).await?;
                }
                // Dropped unsent, the reply says that the channel is gone.
                let _ = reply.send(());
            }
            Command::GiveBack(tag) => self.returns.push((Instant::now() + RETURN_DELAY, tag)),
        }
        Ok(())
    }

    async fn send_returns(&mut self) -> lapin::Result<()> {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.returns.drain(..).partition(|(when, _)| *when <= now);
        self.returns = later;
        for (_, tag) in due {
            if self.tags.remove(tag) {
                self.channel.basic_nack(tag, BasicNackOptions { multiple: false, requeue: true }).await?;
            }
        }
        Ok(())
    }
}

async fn next(sources: &mut Sources) -> lapin::Result<Option<Delivery>> {
    match sources {
        Some(brought) => brought.next().await.unwrap_or(Ok(None)),
        None => std::future::pending().await,
    }
}

fn source(consumer: Consumer) -> Source {
    let end = futures_util::stream::once(async { Ok(None) });
    consumer.map(|delivery| delivery.map(Some)).chain(end).boxed()
}

/// Unique on its channel, which is all it has to be.
fn consumer_tag(queue: &str) -> String {
    format!("afluente {queue}")
}
