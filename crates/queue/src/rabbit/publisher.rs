//! Publishing with confirms: one task owns the channel, because the client library hands a returned message to whichever
//! confirm completes next, and only who sees them all can tell whose it was.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{FutureExt, future};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation, Connection, ErrorKind};
use metrics::{Counter, counter};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep_until, timeout};

use super::link::{Link, State, Work, said};
use super::message::{payload, properties};
use super::topology::key;
use super::window::{Reply, Window};
use crate::error::PublishError;
use crate::wire::Sealed;

/// Messages the broker has and has not confirmed, at most. A quorum queue writes them in batches: the slower its disk, the
/// more have to be under way for the same rate.
const WINDOW: usize = 3_000;
/// Messages written at a time.
const BATCH: usize = 64;
/// How long a publish waits for a broker that has just gone before it says so.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an outcome other than success counts against the queue's health if nothing follows it.
const TROUBLE_SHOWN_FOR: Duration = Duration::from_secs(10);

/// How a publish ends: success, and the words of its errors.
const OUTCOMES: [&str; 8] = ["confirmed", "returned", "nacked", "lost", "timed_out", "away", "too_large", "closed"];

/// A message on its way.
pub(crate) struct Sending {
    pub(crate) exchange: ShortString,
    pub(crate) message: Sealed,
    /// How often it came back by a retry of ours.
    pub(crate) attempt: u32,
}

/// A message on its way, and who waits for it.
type Job = (Sending, Reply);

/// The way to the task that owns the channel.
#[derive(Clone)]
pub(crate) struct Publisher {
    jobs: mpsc::Sender<Job>,
    state: watch::Receiver<State>,
    confirm_within: Duration,
    /// One for each of [`OUTCOMES`], resolved once.
    outcomes: Arc<[Counter; OUTCOMES.len()]>,
    trouble: Arc<Mutex<Option<(Instant, PublishError)>>>,
}

impl Publisher {
    /// Starts the task; it ends when `stop` says so.
    pub(crate) fn start(link: Link, confirm_within: Duration, mut stop: watch::Receiver<bool>) -> Publisher {
        // Those that never came are there as well, for whoever waits for one to rise.
        let outcomes = OUTCOMES.map(|outcome| counter!("afluente_broker_publishes_total", "outcome" => outcome));
        let (jobs, waiting) = mpsc::channel(WINDOW);
        let outcomes = Arc::new(outcomes);
        let publisher = Publisher { jobs, state: link.state(), confirm_within, outcomes, trouble: Arc::default() };
        let owner = Owner { jobs: waiting, state: link.state(), confirm_within };
        tokio::spawn(async move {
            let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
            link.run(owner, stopped).await;
        });
        publisher
    }

    /// Publishes and waits for the confirm; see [`PublishError`] for all other ends.
    pub(crate) async fn publish(&self, sending: Sending) -> Result<(), PublishError> {
        let outcome = self.attempt(sending).await;
        let word = outcome.as_ref().map_or_else(PublishError::word, |()| OUTCOMES[0]);
        if let Some(place) = OUTCOMES.iter().position(|known| *known == word) {
            self.outcomes[place].increment(1);
        }
        let trouble = outcome.as_ref().err().filter(|error| !matches!(error, PublishError::TooLarge { .. }));
        let mut last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some() || trouble.is_some() {
            *last = trouble.map(|error| (Instant::now(), error.clone()));
        }
        outcome
    }

    async fn attempt(&self, sending: Sending) -> Result<(), PublishError> {
        self.usable().await?;
        let (reply, answer) = oneshot::channel();
        self.jobs.send((sending, reply)).await.map_err(|_| PublishError::Closed)?;
        // The task keeps the deadline of what it has sent; this one is for a connection that went before it could.
        match timeout(PATIENCE + self.confirm_within, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(PublishError::Lost { why: "the publisher stopped".into() }),
            Err(_) => Err(PublishError::TimedOut { after: PATIENCE + self.confirm_within }),
        }
    }

    /// Waits until the broker takes messages, or has taken none for [`PATIENCE`].
    async fn usable(&self) -> Result<(), PublishError> {
        let mut state = self.state.clone();
        let away = match &*state.borrow() {
            State::Up => return Ok(()),
            State::Closed => return Err(PublishError::Closed),
            other => other.away(),
        };
        let Some((since, why)) = away else { return Ok(()) };
        let left = PATIENCE.saturating_sub(since.elapsed());
        match timeout(left, state.wait_for(|state| matches!(state, State::Up | State::Closed))).await {
            Ok(Ok(state)) if matches!(*state, State::Up) => Ok(()),
            Ok(_) => Err(PublishError::Closed),
            Err(_) => Err(PublishError::Away { why: why.as_ref().into() }),
        }
    }

    /// How the connection stands, from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// How the connection stands.
    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// The last outcome, if it was not a success and is not long ago.
    pub(crate) fn trouble(&self) -> Option<PublishError> {
        let last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < TROUBLE_SHOWN_FOR).map(|(_, error)| error.clone())
    }
}

/// The task that owns the channel.
struct Owner {
    jobs: mpsc::Receiver<Job>,
    state: watch::Receiver<State>,
    confirm_within: Duration,
}

impl Work for Owner {
    /// Whoever waits by the end is told that nobody knows.
    async fn on(&mut self, connection: &Connection) -> lapin::Result<()> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let mut window = Window::new();
        let ended = self.publish(&channel, &mut window).await;
        window.fail(&ended.as_ref().err().map_or_else(|| "it was closed".to_owned(), said));
        ended
    }
}

impl Owner {
    async fn publish(&mut self, channel: &Channel, window: &mut Window) -> lapin::Result<()> {
        let mut confirms = FuturesUnordered::new();
        let mut fresh = Vec::with_capacity(BATCH);
        loop {
            let overdue = window.oldest().map(|sent| sent + self.confirm_within);
            tokio::select! {
                biased;
                Some(first) = confirms.next() => {
                    let mut ready = vec![first];
                    while let Some(Some(more)) = confirms.next().now_or_never() {
                        ready.push(more);
                    }
                    if let Some(error) = window.confirmed(ready) {
                        return Err(error);
                    }
                }
                count = self.jobs.recv_many(&mut fresh, BATCH), if confirms.len() < WINDOW => {
                    if count == 0 {
                        return Ok(());
                    }
                    for (sending, reply) in fresh.drain(..) {
                        if let Some(number) = window.admit(&sending.message, reply) {
                            confirms.push(sending.confirmed(channel.clone(), number));
                        }
                    }
                }
                () = sleep_until_some(overdue) => {
                    window.give_up(self.confirm_within);
                    // A broker that says why it is silent keeps its channel, and what it was sent.
                    if !matches!(*self.state.borrow(), State::Blocked { .. }) {
                        let error = format!("the broker confirmed nothing within {:?}", self.confirm_within);
                        return Err(ErrorKind::IOError(Arc::new(std::io::Error::other(error))).into());
                    }
                }
            }
        }
    }
}

async fn sleep_until_some(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => future::pending().await,
    }
}

impl Sending {
    async fn confirmed(self, channel: Channel, number: u64) -> (u64, lapin::Result<Confirmation>) {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let key = key(self.message.gateway, self.message.is_hint());
        let (payload, properties) = (payload(&self.message), properties(&self.message, self.attempt));
        let published = channel.basic_publish(self.exchange, key.into(), options, &payload, properties).await;
        drop(payload);
        let confirmed = match published {
            Ok(confirm) => confirm.await,
            Err(error) => Err(error),
        };
        (number, confirmed)
    }
}
