//! From a webhook's 2xx to its committed row, at a rate that is kept whatever the answers take.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use afluente_queue::{EmbeddedOptions, Queue, SealKeys, Settlement};
use afluente_store::Store;
use afluente_worker::{Accounts, Settings, handle};
use clap::Args;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::body::{BenchAccount, number_of};
use super::ingress::request;
use super::load::exchange;
use super::serve::{keys, listen, receiver};
use super::worker::{Bench, Kind, accounts, far_apart, server};
use super::{ms, percentiles};
use crate::exit::Failure;
use crate::output;

/// Sockets that share the rate: enough that none waits for its answer when the next request is due.
const CONNECTIONS: usize = 32;

/// How long after the last answer the last row may be missing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures one machine end to end: webhooks at a steady rate over real sockets into the fsynced queue, workers behind it, and
/// how long after its 2xx a delivery's row was committed.
#[derive(Args)]
pub(crate) struct PathArgs {
    /// Which database
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    ledger: Kind,
    /// The server; a database of its own is made on it and dropped again
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    url: Option<String>,
    /// Webhooks a second
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// For how long, seconds
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Workers
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    workers: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// When a delivery was sent, answered and committed, microseconds since the start; 0 for not yet.
#[derive(Default)]
struct Moments {
    sent: AtomicU64,
    answered: AtomicU64,
    committed: AtomicU64,
}

/// One run: its deliveries and its clock.
struct Path {
    started: Instant,
    rate: u32,
    account: BenchAccount,
    moments: Vec<Moments>,
    committed: AtomicUsize,
    failed: OnceLock<String>,
}

/// Runs it and prints how long what took.
pub(crate) async fn run(args: &PathArgs) -> Result<(), Failure> {
    let server = server(args.ledger, args.url.as_deref())?;
    let bench = Bench::new(server.as_ref(), args.workers as usize).await?;
    let path = Arc::new(Path::new(args)?);
    let took = path.measure(&bench.store, args.workers).await;
    bench.close().await?;
    let took = took?;
    let mut to_answer = path.between(|one| (&one.sent, &one.answered));
    let mut to_row = path.between(|one| (&one.answered, &one.committed));
    let lines = [line("request to 2xx", &mut to_answer), line("2xx to committed row", &mut to_row)];
    print(args, path.moments.len(), took, &lines);
    Ok(())
}

/// A part of the way, and how long it took.
struct Line {
    what: &'static str,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
}

fn line(what: &'static str, micros: &mut [u64]) -> Line {
    let (p50_ms, p99_ms) = percentiles(micros);
    Line { what, p50_ms, p99_ms }
}

#[allow(clippy::cast_precision_loss, reason = "for display")]
fn print(args: &PathArgs, deliveries: usize, took: Duration, lines: &[Line]) {
    let rate = deliveries as f64 / took.as_secs_f64();
    if args.json {
        let list = lines.iter().map(|one| json!({"what": one.what, "p50_ms": one.p50_ms, "p99_ms": one.p99_ms}));
        let list = list.collect::<Vec<Value>>();
        output::print_json(&json!({"deliveries": deliveries, "asked_rate": args.rate, "rate": rate, "path": list}));
        return;
    }
    let rows = lines.iter().map(|one| vec![one.what.to_owned(), ms(one.p50_ms), ms(one.p99_ms)]);
    output::print(&output::table(&["WHAT", "P50 MS", "P99 MS"], &[1, 2], rows));
    output::print(&format!("{deliveries} deliveries, {rate:.0}/s of {} asked for", args.rate));
}

impl Path {
    fn new(args: &PathArgs) -> Result<Path, Failure> {
        // Four to a payment.
        let deliveries = (args.rate as usize * args.seconds as usize).next_multiple_of(4);
        Ok(Path {
            started: Instant::now(),
            rate: args.rate,
            account: BenchAccount::new()?,
            moments: std::iter::repeat_with(Moments::default).take(deliveries).collect(),
            committed: AtomicUsize::new(0),
            failed: OnceLock::new(),
        })
    }

    /// Receives, works and sends until every delivery is committed; how long sending took.
    async fn measure(self: &Arc<Path>, store: &Store, workers: u32) -> Result<Duration, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::unavailable(&error))?;
        let queue = Queue::open_embedded(EmbeddedOptions::new(folder.path()))?;
        let receiver = receiver(&self.account, queue.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = listen().await?;
        let address = listener.local_addr().map_err(|error| Failure::unavailable(&error))?;
        let ingress = tokio::spawn(afluente_ingress::run(
            afluente_ingress::Listener::plain(listener),
            Arc::new(receiver),
            async move {
                // A dropped sender is a stop as well.
                let _ = stopped.await;
            },
        ));
        let (accounts, keys) = (Arc::new(accounts(&self.account)?), Arc::new(keys()));
        let mut tx = store.begin().await?;
        tx.save_accounts(&accounts.rows(), afluente_worker::now()).await?;
        tx.commit().await?;
        let mut working = JoinSet::new();
        for _ in 0..workers {
            let (path, queue, store) = (Arc::clone(self), queue.clone(), store.clone());
            let (accounts, keys) = (Arc::clone(&accounts), Arc::clone(&keys));
            working.spawn(async move { path.work(&queue, &store, &accounts, &keys).await });
        }
        let took = self.send(address).await;
        let done = self.all_committed().await;
        drop(stop);
        // The figures are taken; how the drain went does not change them.
        let _ = ingress.await;
        queue.close().await;
        working.shutdown().await;
        done.and(took)
    }

    /// What a worker does, and when it was done.
    async fn work(&self, queue: &Queue, store: &Store, accounts: &Arc<Accounts>, keys: &Arc<SealKeys>) {
        let settings = Settings::default();
        while let Ok(batch) = queue.take(settings.batch_size, settings.linger).await {
            let verdicts = handle(store, &batch, accounts, keys).await;
            let now = self.micros();
            for (message, verdict) in batch.iter().zip(&verdicts) {
                match (number_of(message.body()).and_then(|number| self.moments.get(number)), verdict) {
                    (Some(moments), Ok(_)) => moments.committed.store(now, Ordering::Relaxed),
                    (_, verdict) => drop(self.failed.set(format!("a delivery was not written: {verdict:?}"))),
                }
            }
            self.committed.fetch_add(batch.len(), Ordering::Relaxed);
            let done = batch.into_iter().map(|message| (message, Settlement::Ack)).collect();
            if let Some(Err(error)) = queue.settle(done).await.into_iter().find(Result::is_err) {
                let _ = self.failed.set(error.to_string());
            }
        }
    }

    /// Sends every delivery when it is due: one that waits for an answer delays no other.
    async fn send(self: &Arc<Path>, address: SocketAddr) -> Result<Duration, Failure> {
        let (next, mut senders) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        let begun = Instant::now();
        for _ in 0..CONNECTIONS {
            let (path, next) = (Arc::clone(self), Arc::clone(&next));
            senders.spawn(async move { path.send_some(address, begun, &next).await });
        }
        while let Some(sent) = senders.join_next().await {
            sent.map_err(|error| Failure::unavailable(&error))?.map_err(|error| Failure::unavailable(&error))?;
        }
        Ok(begun.elapsed())
    }

    async fn send_some(&self, address: SocketAddr, begun: Instant, next: &AtomicUsize) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            if turn >= self.moments.len() {
                return Ok(());
            }
            let number = far_apart(turn, self.moments.len());
            let (moments, request) = (&self.moments[number], request(&self.account, number));
            let due = begun + Duration::from_secs(1) * u32::try_from(turn).unwrap_or(u32::MAX) / self.rate;
            tokio::time::sleep_until(due.into()).await;
            moments.sent.store(self.micros(), Ordering::Relaxed);
            if !exchange(&mut stream, &request).await? {
                return Err(std::io::Error::other("a webhook was not answered with 200"));
            }
            moments.answered.store(self.micros(), Ordering::Relaxed);
        }
    }

    async fn all_committed(&self) -> Result<(), Failure> {
        let waited = Instant::now();
        while self.committed.load(Ordering::Relaxed) < self.moments.len() {
            if let Some(error) = self.failed.get() {
                return Err(Failure::Unavailable(error.clone()));
            }
            if waited.elapsed() > PATIENCE {
                let missing = self.moments.len() - self.committed.load(Ordering::Relaxed);
                return Err(Failure::Unavailable(format!("{missing} deliveries have no row after {PATIENCE:?}")));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Time between two moments of every delivery; a row may be committed before its answer was read.
    fn between(&self, of: impl Fn(&Moments) -> (&AtomicU64, &AtomicU64)) -> Vec<u64> {
        let between = |moments| {
            let (from, to) = of(moments);
            to.load(Ordering::Relaxed).saturating_sub(from.load(Ordering::Relaxed))
        };
        self.moments.iter().map(between).collect()
    }
}
