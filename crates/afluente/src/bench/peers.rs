//! Ours beside what a team would write or install instead, for the same job, in one run.

mod cast;
mod install;
mod kept;
mod outage;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use self::cast::{Peer, Site, Stand};
use self::outage::{Outage, killed, outage};
use super::body::BenchAccount;
use super::ingress::{BODIES, Line, line, request_to, under};
use super::ms;
use crate::exit::Failure;
use crate::output;
use crate::services::Services;
use crate::up::stop_signal;

/// Measures ours beside what would be there instead: programs of npm and PyPI packages that publish with confirms, and qhook.
/// Each takes the same signed webhooks of Stripe and answers once they are kept, the least program that keeps as much beside
/// them; then what keeps is killed under each, and what was acknowledged is looked for. Starts a RabbitMQ and a Postgres of
/// its own. To be run from a checkout of the project, with a release build.
#[derive(Args)]
pub(crate) struct PeersArgs {
    /// Which others; none where nothing follows
    #[arg(long, value_enum, num_args = 0.., value_delimiter = ',', default_values_t = [Other::Fastify, Other::Fastapi, Other::Qhook], value_name = "NAME,…")]
    peers: Vec<Other>,
    /// Where they are installed, and stay; otherwise a temporary folder
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Seconds each is measured
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// Connections, each waiting for its answer before it sends again
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 128], value_name = "N,…")]
    connections: Vec<usize>,
    /// Seconds each goes on after what was killed under it runs again
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=120))]
    after: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What would be there instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Other {
    /// Node.js, fastify, amqplib, stripe
    Fastify,
    /// Python, FastAPI, aio-pika, stripe
    Fastapi,
    /// qhook on SQLite and on Postgres
    Qhook,
}

impl Other {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Installs, measures, kills, prints.
pub(super) async fn run(args: &PeersArgs) -> Result<(), Failure> {
    super::check(&args.connections)?;
    let temporary =
        tempfile::Builder::new().prefix("afluente-peers-").tempdir().map_err(|error| Failure::unavailable(&error))?;
    tokio::select! {
        told = compare(args, temporary.path()) => told,
        // Whoever stops it early leaves no servers behind.
        stopped = stop_signal() => Err(stopped.err().unwrap_or_else(|| Failure::Unavailable("it was stopped".to_owned()))),
    }
}

async fn compare(args: &PeersArgs, temporary: &Path) -> Result<(), Failure> {
    let installed = match &args.folder {
        Some(folder) => std::path::absolute(folder).map_err(|error| Failure::unavailable(&error))?,
        None => temporary.join("installed"),
    };
    let services = Services::start(temporary).await?;
    install::install(&args.peers, &installed).await?;
    let site = Site { services, account: BenchAccount::new()?, installed };
    let peers = cast(&args.peers);
    let mut lines = Vec::new();
    for connections in &args.connections {
        for peer in &peers {
            output::note(&format!("{}, {connections} connections", peer.name()));
            lines.push(measure(&site, *peer, *connections, Duration::from_secs(args.seconds)).await?);
        }
    }
    let mut outages = Vec::new();
    for peer in &peers {
        output::note(&format!("{}, {} is killed", peer.name(), killed(*peer)));
        outages.push(outage(&site, *peer, Duration::from_secs(args.after)).await?);
    }
    print(args.json, &lines, &outages);
    let lost: usize = outages.iter().filter(|one| one.peer.is_ours()).map(|one| one.lost).sum();
    if lost == 0 { Ok(()) } else { Err(Failure::Found(format!("{lost} acknowledged deliveries of ours are nowhere"))) }
}

/// Who is compared: first those that publish to a broker, then those that keep elsewhere, each behind the least of its kind.
fn cast(others: &[Other]) -> Vec<Peer> {
    let all = [
        (Peer::Confirm, None),
        (Peer::Rabbit, None),
        (Peer::Fastify, Some(Other::Fastify)),
        (Peer::Fastapi, Some(Other::Fastapi)),
        (Peer::Append, None),
        (Peer::Embedded, None),
        (Peer::QhookSqlite, Some(Other::Qhook)),
        (Peer::QhookPostgres, Some(Other::Qhook)),
    ];
    let asked = all.into_iter().filter(|(_, other)| other.is_none_or(|other| others.contains(&other)));
    asked.map(|(peer, _)| peer).collect()
}

async fn measure(site: &Site, peer: Peer, connections: usize, lasting: Duration) -> Result<Line, Failure> {
    let stand = Stand::new(site, peer).await?;
    // Signed anew for each: a signature is good for some minutes.
    let request = |number| request_to(&site.account, peer.path(), number);
    let requests: Arc<Vec<Vec<u8>>> = Arc::new((0..BODIES).map(request).collect());
    let measured = under(stand.start().await?, connections, lasting, &requests).await?;
    stand.clear().await?;
    Ok(line(peer.name(), connections, measured, &requests))
}

fn print(json: bool, lines: &[Line], outages: &[Outage]) {
    if json {
        let lines: Vec<Value> = lines.iter().map(Line::json).collect();
        let outages: Vec<Value> = outages.iter().map(Outage::json).collect();
        output::print_json(&json!({"figures": lines, "outages": outages}));
        return;
    }
    let rows = lines.iter().map(|line| {
        vec![
            line.what.to_owned(),
            line.connections.to_string(),
            format!("{:.0}", line.rate),
            ms(line.p50_ms),
            ms(line.p99_ms),
            format!("{:.0}", line.core_us),
            line.peak_rss_mb.to_string(),
            line.refused.to_string(),
        ]
    });
    let heads = ["SERVER", "CONNECTIONS", "REQUESTS/S", "P50 MS", "P99 MS", "CORE µS", "RSS MB", "REFUSED"];
    output::print(&output::table(&heads, &[1, 2, 3, 4, 5, 6, 7], rows));
    let rows = outages.iter().map(|one| {
        vec![
            one.peer.name().to_owned(),
            killed(one.peer).to_owned(),
            one.acknowledged.to_string(),
            one.refused.to_string(),
            one.unanswered.to_string(),
            format!("{:.1}", one.silent.as_secs_f64()),
            one.lost.to_string(),
        ]
    });
    let heads = ["SERVER", "KILLED", "ACKNOWLEDGED", "REFUSED", "UNANSWERED", "SILENT S", "LOST"];
    output::print(&output::table(&heads, &[2, 3, 4, 5, 6], rows));
    output::print(&format!(
        "core time and memory are the server's processes alone; load generator, broker and database share its cores. The second \
         table: {} connections, killed once; SILENT is the longest time in which nothing was acknowledged",
        outage::CONNECTIONS
    ));
}
