//! Queue to committed ledger: deliveries a second, with a queue filled beforehand, beside the same rows through the bare
//! statements.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_gateways::adapter;
use afluente_model::{Delivery, DeliveryId, Gateway, MerchantName, Proof};
use afluente_queue::{EmbeddedOptions, Queue, SealKey, SealKeys};
use afluente_store::{Location, Scratch, Server, Store, StoreOptions, Switch, Switches, Work, legacy};
use afluente_worker::{Account, Accounts, Pulse, Settings, Worker};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::body::{BenchAccount, event};
use super::{bare, cpu};
use crate::exit::Failure;
use crate::output;

/// Measures workers alone: a queue filled beforehand, four deliveries a payment far apart, until all are committed. Beside
/// it the same rows through the ledger's statements alone, and what a delivery costs.
#[derive(Args)]
pub(crate) struct WorkerArgs {
    /// Which database
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    ledger: Kind,
    /// The server; a database of its own is made on it and dropped again
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    url: Option<String>,
    /// Deliveries a transaction
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 256], value_name = "N,…")]
    batch: Vec<usize>,
    /// Workers; a file has one
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2], value_name = "N,…")]
    workers: Vec<usize>,
    /// Whether customers are written; several for a comparison in one run
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Beside::On], value_name = "SWITCH,…")]
    customers: Vec<Beside>,
    /// Whether an application's rows are written beside them, of a table made for that; only with a server
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Beside::Off], value_name = "SWITCH,…")]
    legacy: Vec<Beside>,
    /// Deliveries at most; small batches handle fewer
    #[arg(long, default_value_t = 40_000, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    deliveries: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A switch on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Beside {
    /// Not looked at
    Off,
    /// Made up, and nothing follows it
    Shadow,
    /// Written
    On,
}

impl Beside {
    fn switch(self) -> Switch {
        match self {
            Beside::Off => Switch::Off,
            Beside::Shadow => Switch::Shadow,
            Beside::On => Switch::On,
        }
    }

    fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// What one run is measured with.
#[derive(Clone, Copy, Debug)]
pub(super) struct With {
    workers: usize,
    batch: usize,
    deliveries: usize,
    customers: Beside,
    legacy: Beside,
}

/// Which database a ledger is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file
    Sqlite,
    /// A server
    Postgres,
}

/// One run.
struct Run {
    with: With,
    rate: f64,
    bare: f64,
    cpu_micros: f64,
    work: Work,
}

/// Runs every combination and prints the table.
pub(crate) async fn run(args: &WorkerArgs) -> Result<(), Failure> {
    let server = server(args.ledger, args.url.as_deref())?;
    let mut runs = Vec::new();
    for &workers in args.workers.iter().filter(|workers| server.is_some() || **workers == 1) {
        for &batch in &args.batch {
            let deliveries = (args.deliveries as usize).min(batch * 2_000);
            for &customers in &args.customers {
                for &legacy in args.legacy.iter().filter(|legacy| server.is_some() || **legacy == Beside::Off) {
                    let with = With { workers, batch, deliveries, customers, legacy };
                    runs.push(measure(server.as_ref(), with).await?);
                }
            }
        }
    }
    if args.json {
        output::print_json(&Value::Array(runs.iter().map(document).collect()));
    } else {
        output::print(&text(&runs));
    }
    Ok(())
}

pub(super) fn server(kind: Kind, url: Option<&str>) -> Result<Option<Server>, Failure> {
    match (kind, url) {
        (Kind::Sqlite, _) => Ok(None),
        (Kind::Postgres, Some(url)) => {
            url.parse().map(Some).map_err(|text: String| Failure::Usage(format!("--url: {text}")))
        }
        (Kind::Postgres, None) => Err(Failure::Usage(
            "--ledger postgres needs --url or DATABASE_URL; scripts/services starts a server to try".to_owned(),
        )),
    }
}

/// The one line `afluente bench` shows.
pub(super) async fn figure(deliveries: usize) -> Result<super::Figure, Failure> {
    let with = With { workers: 1, batch: 256, deliveries, customers: Beside::On, legacy: Beside::Off };
    let run = measure(None, with).await?;
    Ok(super::Figure {
        what: format!("worker, queue to committed SQLite ledger, {deliveries} deliveries"),
        rate: run.rate,
        unit: "deliveries/s",
        p50_ms: None,
        p99_ms: None,
        compared: Some(format!("{:.2} of the bare statements, {:.0}/s", run.rate / run.bare, run.bare)),
    })
}

/// A ledger of this run alone.
pub(super) struct Bench {
    pub(super) store: Store,
    scratch: Option<Scratch>,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(super) async fn new(server: Option<&Server>, workers: usize) -> Result<Bench, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::unavailable(&error))?;
        let (location, scratch) = match server {
            None => (Location::Folder(folder.path().to_owned()), None),
            Some(server) => {
                let scratch = Scratch::make(server).await?;
                (Location::Server(scratch.server().clone()), Some(scratch))
            }
        };
        let options = StoreOptions { connections: u32::try_from(workers + 2).unwrap_or(3), ..StoreOptions::default() };
        Ok(Bench { store: Store::open_with(location, options).await?, scratch, _folder: folder })
    }

    /// The same with what is written beside the facts.
    async fn with(mut self, with: With) -> Result<Bench, Failure> {
        self.store = self.store.with_customers(Switches::all(with.customers.switch()));
        let Some(scratch) = self.scratch.as_ref().filter(|_| with.legacy != Beside::Off) else { return Ok(self) };
        let targets = legacy::example(scratch.server(), with.deliveries.div_ceil(4)).await?;
        let switches = Switches::all(with.legacy.switch());
        self.store = self.store.beside(legacy::Beside { targets, switches, writes_status: false });
        Ok(self)
    }

    pub(super) async fn close(self) -> Result<(), Failure> {
        self.store.close().await;
        if let Some(scratch) = self.scratch {
            scratch.remove().await?;
        }
        Ok(())
    }
}

#[allow(clippy::cast_precision_loss, reason = "for display")]
async fn measure(server: Option<&Server>, with: With) -> Result<Run, Failure> {
    let With { workers, batch, deliveries, .. } = with;
    let account = BenchAccount::new()?;
    let accounts = Arc::new(accounts(&account)?);
    let bench = Bench::new(server, workers).await?;
    let took = bare::measure(&bench.store, &accounts, workers, batch, deliveries).await?;
    bench.close().await?;

    let folder = tempfile::tempdir().map_err(|error| Failure::unavailable(&error))?;
    let queue = Queue::open_embedded(EmbeddedOptions { limit_bytes: 8 << 30, ..EmbeddedOptions::new(folder.path()) })?;
    let keys = Arc::new(SealKeys::new(SealKey::from_bytes([7; 32]), []));
    fill(&queue, &account, &keys, deliveries).await?;
    let bench = Bench::new(server, workers).await?.with(with).await?;
    let settings = Settings { batch_size: batch, ..Settings::default() };
    let (before, cpu_before, started) = (bench.store.work().await?, cpu::used(), Instant::now());
    let (_told, told) = watch::channel(accounts);
    let mut worker = Worker {
        queue: queue.clone(),
        store: bench.store.clone(),
        keys,
        accounts: told,
        settings,
        pulse: Arc::default(),
    };
    let (stop, mut tasks, mut pulses) = (watch::channel(false).0, JoinSet::new(), Vec::new());
    for _ in 0..workers {
        worker.pulse = Arc::new(Pulse::default());
        pulses.push(Arc::clone(&worker.pulse));
        let mut stop = stop.subscribe();
        tasks.spawn(afluente_worker::run(worker.clone(), async move {
            let _ = stop.wait_for(|stop| *stop).await;
        }));
    }
    while pulses.iter().map(|pulse| pulse.handled()).sum::<u64>() < deliveries as u64 && !tasks.is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu::used().saturating_sub(cpu_before));
    let work = bench.store.work().await?.since(before);
    stop.send_replace(true);
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Failure::unavailable(&error))?.map_err(|error| Failure::unavailable(&error))?;
    }
    queue.close().await;
    bench.close().await?;
    Ok(Run {
        with,
        rate: deliveries as f64 / seconds,
        bare: deliveries as f64 / took.as_secs_f64(),
        cpu_micros: cpu.as_secs_f64() * 1e6 / deliveries as f64,
        work,
    })
}

/// The n-th of `all` deliveries: the four of a payment lie far apart, as they do in a day's traffic.
pub(super) fn far_apart(n: usize, all: usize) -> usize {
    let quarter = all.div_ceil(4);
    (n % quarter * 4 + n / quarter).min(all - 1)
}

async fn fill(queue: &Queue, account: &BenchAccount, keys: &Arc<SealKeys>, deliveries: usize) -> Result<(), Failure> {
    let mut waiting = JoinSet::new();
    for n in 0..deliveries {
        let (queue, sealed) = (queue.clone(), keys.seal(&delivery(account, event(far_apart(n, deliveries)))));
        waiting.spawn(async move { queue.publish(sealed).await });
        if waiting.len() >= 256 {
            published(waiting.join_next().await)?;
        }
    }
    while let Some(done) = waiting.join_next().await {
        published(Some(done))?;
    }
    Ok(())
}

pub(super) fn delivery(account: &BenchAccount, body: Vec<u8>) -> Delivery {
    Delivery {
        id: DeliveryId(Uuid::now_v7()),
        gateway: Gateway::Stripe,
        account: account.name.clone(),
        received_at: afluente_worker::now(),
        proof: Proof::Signed { secret: account.secret.name().clone() },
        headers: Vec::new(),
        query: None,
        traceparent: None,
        released_by: None,
        body: body.into(),
    }
}

fn published(
    done: Option<Result<Result<(), afluente_queue::PublishError>, tokio::task::JoinError>>,
) -> Result<(), Failure> {
    match done {
        Some(Ok(Err(error))) => Err(Failure::unavailable(&error)),
        Some(Err(error)) => Err(Failure::unavailable(&error)),
        Some(Ok(Ok(()))) | None => Ok(()),
    }
}

pub(super) fn accounts(account: &BenchAccount) -> Result<Accounts, Failure> {
    let adapter = adapter(Gateway::Stripe);
    let merchant = MerchantName::parse("bench").map_err(|error| Failure::unavailable(&error))?;
    let known = Account { gateway: Gateway::Stripe, merchant, adapter, view: account.view.clone(), replaces: None };
    Ok(Accounts(BTreeMap::from([(account.name.clone(), known)])))
}

#[allow(clippy::cast_precision_loss, reason = "for display")]
fn text(runs: &[Run]) -> String {
    let each = |total: u64, run: &Run| total as f64 / run.with.deliveries as f64;
    let rows = runs.iter().map(|run| {
        vec![
            run.with.workers.to_string(),
            run.with.batch.to_string(),
            run.with.customers.word(),
            run.with.legacy.word(),
            run.with.deliveries.to_string(),
            format!("{:.0}", run.rate),
            format!("{:.0}", run.bare),
            format!("{:.2}", run.rate / run.bare),
            format!("{:.0}", run.cpu_micros),
            format!("{:.3}", each(run.work.commits, run)),
            format!("{:.2}", each(run.work.statements, run)),
            run.work.wal_bytes.map_or_else(|| "-".to_owned(), |bytes| format!("{:.0}", each(bytes, run))),
        ]
    });
    let headings = [
        "WORKERS",
        "BATCH",
        "CUSTOMERS",
        "LEGACY",
        "DELIVERIES",
        "RATE/S",
        "BARE/S",
        "RATIO",
        "CORE µS",
        "COMMITS",
        "STATEMENTS",
        "WAL BYTES",
    ];
    let note = "core µs, commits, statements and WAL bytes are a delivery's; bare is the same rows through the statements alone";
    format!("{}{note}\n", output::table(&headings, &[0, 1, 4, 5, 6, 7, 8, 9, 10, 11], rows))
}

fn document(run: &Run) -> Value {
    json!({
        "workers": run.with.workers, "batch": run.with.batch, "customers": run.with.customers.word(),
        "legacy": run.with.legacy.word(), "deliveries": run.with.deliveries, "rate": run.rate, "bare": run.bare,
        "cpu_micros": run.cpu_micros, "commits": run.work.commits, "statements": run.work.statements,
        "wal_bytes": run.work.wal_bytes,
    })
}
