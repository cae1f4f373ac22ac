//! The backend for several machines: RabbitMQ, with confirms towards it and acknowledgements from it.
//!
//! Publishing and consuming have a connection each: a broker with an alarm stops reading from whoever publishes, and then
//! would not hear what a worker acknowledges.

mod consumer;
mod examine;
mod lease;
mod link;
mod message;
mod publisher;
mod shelf;
mod tags;
mod topology;
mod url;
mod window;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use afluente_model::chain;
use futures_util::future::join_all;
use metrics::{counter, describe_counter, describe_gauge};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::embedded::EmbeddedOptions;
use crate::error::{OpenError, PublishError, QueueError, Spooling, Unhealthy};
use crate::settlement::{Handed, Settled, Settlement};
use crate::spool::{self, Poured, Spool, Spooled};
use crate::wire::Sealed;
use consumer::Bringer;
pub use examine::{Examined, QueueLook, examine};
pub(crate) use lease::Lease;
use link::{Link, State};
use publisher::{Publisher, Sending};
use shelf::Shelf;
use topology::Topology;
pub(crate) use topology::has_hints;
pub use url::BrokerUrl;

/// A take ends once it holds this many bytes, so that a batch of large bodies does not fill the memory.
const TAKE_BYTES: u64 = 8 << 20;
/// After what is spooled could not be sent.
const DRAIN_AGAIN: Duration = Duration::from_secs(1);
/// How long a stop waits for what is spooled to be sent.
const EMPTIED_WITHIN: Duration = Duration::from_secs(10);

/// Which broker, what of it is ours, and how patient we are.
#[derive(Clone, Debug)]
pub struct RabbitOptions {
    /// Where it is.
    pub url: BrokerUrl,
    /// What the names of our exchanges and queues begin with.
    pub prefix: String,
    /// Bytes of messages each queue may hold. Past it publishing is refused.
    pub limit_bytes: u64,
    /// How long the broker may take to confirm a message before its channel is given up.
    pub confirm_within: Duration,
    /// Messages of each queue that are here and not acknowledged, at most. Twice a batch keeps a worker busy.
    pub prefetch: u16,
    /// How long queues are left alone once they have been made. RabbitMQ writes down that there is a quorum queue up to three
    /// seconds after it has said so; killed in between it comes back with a queue that has lost its messages and answers
    /// nobody.
    pub first_wait: Duration,
    /// Where deliveries go while the broker is away; `None` where nothing is received.
    pub spool: Option<EmbeddedOptions>,
}

impl RabbitOptions {
    /// Queues named after us that hold 1 GiB each; four seconds for a confirm; 512 messages ahead; four
    /// seconds between making a queue and using it.
    #[must_use]
    pub fn new(url: BrokerUrl) -> RabbitOptions {
        RabbitOptions {
            url,
            prefix: "afluente".to_owned(),
            limit_bytes: 1 << 30,
            confirm_within: Duration::from_secs(4),
            prefetch: 512,
            first_wait: Duration::from_secs(4),
            spool: None,
        }
    }
}

/// The queues on a broker. Every clone is the same.
#[derive(Clone)]
pub(crate) struct Rabbit {
    shared: Arc<Shared>,
}

struct Shared {
    options: RabbitOptions,
    topology: Topology,
    publisher: Publisher,
    shelf: Arc<Shelf>,
    /// How the consuming connection stands; there is one once somebody has asked for messages.
    consumer: OnceLock<watch::Receiver<State>>,
    spool: Option<Spool>,
    stop: watch::Sender<bool>,
}

impl Rabbit {
    /// Begins to connect, and goes on trying: a broker that is not there yet is no reason not to start.
    pub(crate) fn open(options: RabbitOptions) -> Result<Rabbit, OpenError> {
        describe();
        let spool = options.spool.as_ref().map(Spool::open).transpose()?;
        let topology = Topology::new(&options.prefix, options.limit_bytes);
        let stop = watch::channel(false).0;
        let link = Link::new(&options, topology.clone(), "publish");
        let publisher = Publisher::start(link, options.confirm_within, stop.subscribe());
        if let Some(spool) = &spool {
            tokio::spawn(drain(spool.clone(), publisher.clone(), topology.clone(), stop.subscribe()));
        }
        let (shelf, consumer) = (Arc::new(Shelf::new()), OnceLock::new());
        Ok(Rabbit { shared: Arc::new(Shared { options, topology, publisher, shelf, consumer, spool, stop }) })
    }

    /// To the broker, or, while that is away, to the spool: what nobody signed is not worth a place there.
    pub(crate) async fn publish(&self, message: Sealed) -> Result<(), PublishError> {
        let shared = &self.shared;
        let Some(spool) = &shared.spool else { return send(&shared.publisher, &shared.topology, message).await };
        match send(&shared.publisher, &shared.topology, message.clone()).await {
            Err(PublishError::Away { .. }) if !message.is_hint() => spool.publish(message).await,
            sent => sent,
        }
    }

    /// The shelf that messages come to; the first who asks has them fetched.
    fn shelf(&self) -> &Shelf {
        let shared = &self.shared;
        shared.consumer.get_or_init(|| {
            let link = Link::new(&shared.options, shared.topology.clone(), "consume");
            let (standing, mut stop) = (link.state(), shared.stop.subscribe());
            let (topology, filled) = (shared.topology.clone(), Arc::clone(&shared.shelf));
            let bringer = Bringer { topology, shelf: Arc::clone(&filled), prefetch: shared.options.prefetch };
            tokio::spawn(async move {
                let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
                link.run(bringer, stopped).await;
                filled.close();
            });
            standing
        });
        &shared.shelf
    }

    pub(crate) async fn take(&self, most: usize, linger: Duration) -> Result<Vec<Handed<Lease>>, QueueError> {
        let messages = self.shelf();
        let mut signal = messages.signal();
        let _waiting = messages.wait();
        loop {
            let first = signal.wait_for(|signal| signal.closed || signal.ready > 0).await;
            if first.map_or(true, |signal| signal.closed) {
                return Err(QueueError::Closed);
            }
            // In vain or not: what there is by then is taken.
            let _ = timeout(linger, signal.wait_for(|signal| signal.closed || signal.ready >= most)).await;
            let taken = messages.take(most, TAKE_BYTES);
            if !taken.is_empty() || most == 0 {
                return Ok(taken);
            }
        }
    }

    pub(crate) async fn ready(&self, count: usize) -> Result<(), QueueError> {
        let mut signal = self.shelf().signal();
        let seen = signal.wait_for(|signal| signal.closed || signal.ready >= count).await;
        if seen.is_ok_and(|signal| !signal.closed) { Ok(()) } else { Err(QueueError::Closed) }
    }

    pub(crate) fn take_ready(&self, most: usize) -> Vec<Handed<Lease>> {
        self.shelf().take(most, TAKE_BYTES)
    }

    /// What comes again is published anew, confirmed, before what came is acknowledged: in between it is there twice.
    pub(crate) async fn settle(&self, settled: Vec<(Handed<Lease>, Settlement)>) -> Vec<Settled> {
        let published = join_all(settled.iter().map(|(message, settlement)| self.retry(message, *settlement))).await;
        let mut answers: Vec<Settled> = Vec::with_capacity(settled.len());
        let mut channels: Vec<(Vec<usize>, Vec<Lease>)> = Vec::new();
        for (index, ((message, _), published)) in settled.into_iter().zip(published).enumerate() {
            answers.push(published.map_err(QueueError::Retry));
            if answers[index].is_err() {
                // Its lease goes with it, which gives the message back.
                continue;
            }
            match channels.iter_mut().find(|(_, leases)| leases[0].shares_channel(&message.lease)) {
                Some((indices, leases)) => {
                    indices.push(index);
                    leases.push(message.lease);
                }
                None => channels.push((vec![index], vec![message.lease])),
            }
        }
        for (indices, leases) in channels {
            if !Lease::ack(leases).await {
                for index in indices {
                    answers[index] = Err(QueueError::Lapsed);
                }
            }
        }
        answers
    }

    async fn retry(&self, message: &Handed<Lease>, settlement: Settlement) -> Result<(), PublishError> {
        let Settlement::RetryAfter(wait) = settlement else { return Ok(()) };
        let shared = &self.shared;
        let exchange = shared.topology.retry_exchange(wait);
        let attempt = message.attempt.saturating_add(1);
        shared.publisher.publish(Sending { exchange, message: message.sealed.clone(), attempt }).await
    }

    pub(crate) fn health(&self) -> Result<Option<Spooling>, Unhealthy> {
        let shared = &self.shared;
        let states = [Some(shared.publisher.state()), shared.consumer.get().map(|state| state.borrow().clone())];
        let Some((since, why)) = states.iter().flatten().find_map(State::away) else {
            return shared.publisher.trouble().map_or(Ok(None), |error| Err(Unhealthy::Unconfirmed(error)));
        };
        let away = Unhealthy::Away { for_seconds: since.elapsed().as_secs(), why: why.as_ref().into() };
        match &shared.spool {
            Some(spool) if spool.queue().health().is_ok() && !spool.held().is_full() => {
                Ok(Some(Spooling { away, spooled: spool.held() }))
            }
            Some(_) | None => Err(away),
        }
    }

    pub(crate) fn spooled(&self) -> Option<Spooled> {
        self.shared.spool.as_ref().map(Spool::held)
    }

    /// Ends both connections, once what is spooled has been sent, if it can be. What was not settled goes back to its queue.
    pub(crate) async fn close(&self) {
        let shared = &self.shared;
        if let Some(spool) = &shared.spool {
            let emptied = async {
                while spool.held().messages > 0 && matches!(shared.publisher.state(), State::Up) {
                    sleep(Duration::from_millis(20)).await;
                }
            };
            let _ = timeout(EMPTIED_WITHIN, emptied).await;
            let left = spool.held().messages;
            if left > 0 {
                warn!(messages = left, "Deliveries stay in the spool: start again, or see `afluente spool drain`");
            }
        }
        shared.stop.send_replace(true);
        let closed = |state: &State| matches!(state, State::Closed);
        let _ = shared.publisher.watch().wait_for(closed).await;
        if let Some(state) = shared.consumer.get() {
            let _ = state.clone().wait_for(closed).await;
        }
        shared.shelf.close();
        if let Some(spool) = &shared.spool {
            spool.queue().close().await;
        }
    }
}

/// Publishes a delivery where workers look for it.
async fn send(publisher: &Publisher, topology: &Topology, message: Sealed) -> Result<(), PublishError> {
    publisher.publish(Sending { exchange: topology.exchange(), message, attempt: 0 }).await
}

/// Sends what is spooled whenever the broker is there, until it is stopped. No error ends it.
async fn drain(spool: Spool, publisher: Publisher, topology: Topology, mut stop: watch::Receiver<bool>) {
    let forever = async {
        loop {
            let up = |state: &State| matches!(state, State::Up | State::Closed);
            let mut state = publisher.watch();
            if state.wait_for(up).await.is_err() {
                return;
            }
            match drain_some(&spool, &publisher, &topology).await {
                Ok(Poured { moved, refused: None }) => info!(moved, "Sent deliveries that were spooled"),
                Ok(Poured { moved, refused: Some(error) }) => {
                    warn!(moved, error = %error, "The broker does not take what is spooled yet");
                    sleep(DRAIN_AGAIN).await;
                }
                Err(QueueError::Closed) => return,
                Err(error) => {
                    warn!(error = %chain(&error), "The spool cannot be read or written");
                    sleep(DRAIN_AGAIN).await;
                }
            }
        }
    };
    tokio::select! {
        () = forever => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// Waits for something in the spool and sends it.
async fn drain_some(spool: &Spool, publisher: &Publisher, topology: &Topology) -> Result<Poured, QueueError> {
    let taken = spool.queue().take(spool::MOVED_AT_ONCE, Duration::ZERO).await?;
    spool::pour(spool.queue(), taken, |message| send(publisher, topology, message)).await
}

fn describe() {
    describe_gauge!("afluente_broker_up", "1 while the connection to the broker works, by what it is for");
    describe_counter!("afluente_broker_publishes_total", "Messages published to the broker, by what became of them");
    describe_counter!("afluente_broker_redeliveries_total", "Messages the broker handed out more than once");
    counter!("afluente_broker_redeliveries_total").absolute(0);
    describe_gauge!("afluente_spool_messages", "Deliveries kept here until the broker is back");
    describe_gauge!("afluente_spool_bytes", "Their bytes");
    describe_gauge!("afluente_spool_age_seconds", "How long the spool has not been empty");
    describe_gauge!("afluente_broker_unacknowledged", "Messages of the broker that are here and not acknowledged");
}
