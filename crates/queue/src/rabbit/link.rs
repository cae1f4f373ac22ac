//! One connection to the broker and what is done on it, for ever: whoever supervises it comes back by himself.
//!
//! The client library could recover connections too, but keeps the confirms of a dead one back until it has a new one, and
//! then nobody knows what became of what was under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::StreamExt;
use lapin::tcp::OwnedTLSConfig;
use lapin::{Connection, ConnectionProperties, ErrorKind, Event};
use metrics::gauge;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::topology::Topology;
use super::{BrokerUrl, RabbitOptions};

/// How long connecting, and declaring what we need, may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection that is given up may take to say so.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// A connection that lasted this long was a good one: the next try comes at once.
const GOOD_AFTER: Duration = Duration::from_secs(5);
/// Between two tries at least and at most.
const WAITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// How a connection stands.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// It works.
    Up,
    /// The broker takes nothing from it: an alarm of its memory or its disk.
    Blocked { since: Instant, why: Arc<str> },
    /// There is none.
    Down { since: Instant, why: Arc<str> },
    /// Nobody wants it any more.
    Closed,
}

impl State {
    /// Since when and why it does not work.
    pub(crate) fn away(&self) -> Option<(Instant, Arc<str>)> {
        match self {
            State::Up => None,
            State::Blocked { since, why } | State::Down { since, why } => Some((*since, Arc::clone(why))),
            State::Closed => Some((Instant::now(), "it is closed".into())),
        }
    }
}

/// What is done on a connection: publishing or consuming.
pub(crate) trait Work: Send {
    /// Works until the connection or its channel ends.
    fn on(&mut self, connection: &Connection) -> impl Future<Output = lapin::Result<()>> + Send;
}

/// What is needed to connect, and who is told how it stands.
pub(crate) struct Link {
    url: BrokerUrl,
    topology: Topology,
    /// What the connection is for: a label, and part of its name on the broker.
    role: &'static str,
    first_wait: Duration,
    state: watch::Sender<State>,
}

impl Link {
    pub(crate) fn new(options: &RabbitOptions, topology: Topology, role: &'static str) -> Link {
        let RabbitOptions { url, first_wait, .. } = options.clone();
        let why = Arc::from("not connected yet");
        gauge!("afluente_broker_up", "link" => role).set(0.0);
        Link { url, topology, role, first_wait, state: watch::channel(State::Down { since: Instant::now(), why }).0 }
    }

    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Connects and works until `stop` ends, again and again. What `work` says when it fails is told as the reason.
    pub(crate) async fn run(&self, mut work: impl Work, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let (mut waits, mut tries) = (waits(), 0);
        loop {
            let begun = Instant::now();
            let node = tries % self.url.nodes().len();
            tries += 1;
            let worked = tokio::select! {
                worked = self.once(node, &mut work) => worked,
                () = &mut stop => break,
            };
            // Work that ends without an error was told to: its stop comes next.
            let why = worked.err().map_or_else(|| "it was closed".to_owned(), |error| said(&error));
            self.down(&why);
            if begun.elapsed() > GOOD_AFTER {
                waits = self::waits();
            }
            tokio::select! {
                () = sleep(waits.next().unwrap_or(WAITS[1])) => {}
                () = &mut stop => break,
            }
        }
        self.state.send_replace(State::Closed);
        gauge!("afluente_broker_up", "link" => self.role).set(0.0);
    }

    async fn once(&self, node: usize, work: &mut impl Work) -> lapin::Result<()> {
        let connection = timeout(CONNECT_WITHIN, connect(&self.url, node, self.role))
            .await
            .unwrap_or_else(|_| Err(too_long("connecting")))?;
        let declared = timeout(CONNECT_WITHIN + self.first_wait, self.declare(&connection)).await;
        let worked = match declared.unwrap_or_else(|_| Err(too_long("declaring the queues"))) {
            Ok(()) => {
                // From here on: that a queue was not there a moment ago is an event as well.
                let mut events = Box::pin(connection.events_listener());
                self.up();
                let hear = async {
                    while let Some(event) = events.next().await {
                        self.heard(event)?;
                    }
                    std::future::pending().await
                };
                tokio::select! {
                    worked = work.on(&connection) => worked,
                    // Whoever has nothing to do would not notice that the connection is gone.
                    ended = hear => ended,
                }
            }
            Err(error) => Err(error),
        };
        // A broker that hears us learns that we go, and gives back at once what we hold.
        let _ = timeout(CLOSE_WITHIN, connection.close(200, "OK".into())).await;
        worked
    }

    async fn declare(&self, connection: &Connection) -> lapin::Result<()> {
        let channel = connection.create_channel().await?;
        let settled = self.topology.is_settled(connection).await?;
        self.topology.declare(&channel).await?;
        if !settled {
            sleep(self.first_wait).await;
            self.topology.settle(&channel).await?;
        }
        channel.close(200, "OK".into()).await
    }

    fn up(&self) {
        info!(link = self.role, broker = %self.url, "Connected to the broker");
        gauge!("afluente_broker_up", "link" => self.role).set(1.0);
        self.state.send_replace(State::Up);
    }

    /// Since when it is down is what counts, not how often it was tried since.
    fn down(&self, why: &str) {
        let since = match &*self.state.borrow() {
            State::Down { since, why: before } => {
                if **before != *why {
                    warn!(link = self.role, broker = %self.url, error = %why, "Still no connection to the broker");
                }
                *since
            }
            State::Up | State::Blocked { .. } | State::Closed => {
                warn!(link = self.role, broker = %self.url, error = %why, "Lost the connection to the broker, trying again");
                Instant::now()
            }
        };
        gauge!("afluente_broker_up", "link" => self.role).set(0.0);
        self.state.send_replace(State::Down { since, why: why.into() });
    }

    fn heard(&self, event: Event) -> lapin::Result<()> {
        match event {
            Event::Error(error) => return Err(error),
            Event::ConnectionBlocked(why) => {
                warn!(link = self.role, reason = %why, "The broker takes nothing more: look at its memory and disk");
                self.state
                    .send_replace(State::Blocked { since: Instant::now(), why: format!("blocked: {why}").into() });
            }
            Event::ConnectionUnblocked => {
                info!(link = self.role, "The broker takes messages again");
                self.state.send_replace(State::Up);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Connects to one node, under a name that says what for.
pub(crate) async fn connect(url: &BrokerUrl, node: usize, role: &str) -> lapin::Result<Connection> {
    let properties = ConnectionProperties::default().with_connection_name(format!("afluente {role}").into());
    let mut tls = OwnedTLSConfig::default();
    if let Some(file) = url.ca_file() {
        tls.cert_chain = Some(std::fs::read_to_string(file).map_err(|error| ErrorKind::IOError(Arc::new(error)))?);
    }
    let uri = url.nodes()[node].clone();
    Connection::connect_uri_with_config(uri, properties, tls, lapin::runtime::default_runtime()?).await
}

fn waits() -> impl Iterator<Item = Duration> + Send {
    let [least, most] = WAITS;
    ExponentialBuilder::default().with_min_delay(least).with_max_delay(most).with_jitter().without_max_times().build()
}

fn too_long(what: &str) -> lapin::Error {
    let error =
        std::io::Error::new(std::io::ErrorKind::TimedOut, format!("{what} took longer than {CONNECT_WITHIN:?}"));
    ErrorKind::IOError(Arc::new(error)).into()
}

/// What an error says, with what an operator can do where we know it. Our URL, and so our password, is in none of them.
pub(crate) fn said(error: &lapin::Error) -> String {
    let text = error.to_string();
    if text.contains("inequivalent arg") {
        format!(
            "{text}: it was declared by somebody else or for other settings; move its messages and delete it, or choose another [queue] prefix"
        )
    } else if text.contains("ACCESS_REFUSED") {
        format!(
            "{text}: the user needs configure, write and read on what begins with the [queue] prefix; see `afluente doctor`"
        )
    } else {
        text
    }
}
