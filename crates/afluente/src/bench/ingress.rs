//! HTTP to a durable queue, beside hyper alone and beside the least program that keeps as much, in turns on one machine.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use uuid::Uuid;

use super::apart::{Apart, Used};
use super::body::{BenchAccount, event};
use super::load::{Seen, drive};
use super::serve::What;
use super::sweep::sweep;
use super::{ms, percentiles};
use crate::exit::Failure;
use crate::output;

/// Bodies prepared ahead; each is sent again and again under a fresh delivery, as the queue does not look inside.
pub(super) const BODIES: usize = 4_096;
/// Before anything is counted: connections are made, memory is touched, files grow.
const WARMED_UP: Duration = Duration::from_millis(500);

/// Measures what takes webhooks: HTTP to a durable queue, beside hyper alone and beside the least program that keeps as
/// much. Each server is a process of its own; load generator, servers, disk and broker share this machine.
#[derive(Args)]
pub(crate) struct IngressArgs {
    /// Which queue
    #[arg(long, value_enum, default_value_t = Kind::Embedded)]
    queue: Kind,
    /// The broker; queues of its own are made on it and deleted again
    #[arg(long, env = "AMQP_URL", hide_env_values = true, value_name = "URL")]
    url: Option<String>,
    /// Seconds each server is measured
    #[arg(long, default_value_t = 3, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Connections, each waiting for its answer before it sends again
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 128], value_name = "N,…")]
    connections: Vec<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which queue.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A file on this machine.
    Embedded,
    /// A broker.
    Rabbit,
}

/// How one server did with so many connections.
pub(super) struct Line {
    pub(super) what: &'static str,
    pub(super) connections: usize,
    pub(super) rate: f64,
    pub(super) p50_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
    /// Core time of the server's process for each request answered, in microseconds.
    pub(super) core_us: f64,
    /// Bytes the server's process had written for each byte it was sent.
    written: f64,
    /// The most memory the server's process ever held.
    pub(super) peak_rss_mb: u64,
    pub(super) refused: u64,
}

/// Runs it and prints the table.
pub(crate) async fn run(args: &IngressArgs) -> Result<(), Failure> {
    super::check(&args.connections)?;
    let url = match (args.queue, &args.url) {
        (Kind::Embedded, _) => None,
        (Kind::Rabbit, Some(url)) => Some(url.as_str()),
        (Kind::Rabbit, None) => {
            return Err(Failure::Usage("expected --url amqp://… or AMQP_URL: the broker to measure with".to_owned()));
        }
    };
    let mut lines = Vec::new();
    for connections in &args.connections {
        lines.extend(measure(url, *connections, Duration::from_secs(args.seconds)).await?);
    }
    if args.json {
        output::print_json(&json!({"figures": lines.iter().map(Line::json).collect::<Vec<Value>>()}));
        return Ok(());
    }
    let heads = ["SERVER", "CONNECTIONS", "REQUESTS/S", "P50 MS", "P99 MS", "CORE µS", "WRITTEN/SENT", "RSS MB", "IS"];
    let rows = lines.chunks(SERVERS).flat_map(|three| three.iter().map(|line| line.row(three)));
    output::print(&output::table(&heads, &[1, 2, 3, 4, 5, 6, 7], rows));
    output::print("core time and memory are the server's process alone; load generator and broker share its cores");
    Ok(())
}

/// How many servers are compared.
pub(super) const SERVERS: usize = 3;

/// Hyper alone, the least that keeps as much, and ours, with so many connections. On a broker if there is a URL.
pub(super) async fn measure(
    url: Option<&str>,
    connections: usize,
    lasting: Duration,
) -> Result<[Line; SERVERS], Failure> {
    let account = BenchAccount::new()?;
    let requests: Arc<Vec<Vec<u8>>> = Arc::new((0..BODIES).map(|number| request(&account, number)).collect());
    let (least, ours) = match url {
        None => (("hyper + HMAC + fsync", What::Append), ("afluente, embedded", What::Embedded)),
        Some(_) => (("hyper + HMAC + confirm", What::Confirm), ("afluente, RabbitMQ", What::Rabbit)),
    };
    let one = async |(what, server)| one(what, server, url, connections, lasting, &requests).await;
    Ok([one(("hyper alone", What::Bare)).await?, one(least).await?, one(ours).await?])
}

async fn one(
    what: &'static str,
    server: What,
    url: Option<&str>,
    connections: usize,
    lasting: Duration,
    requests: &Arc<Vec<Vec<u8>>>,
) -> Result<Line, Failure> {
    let prefix = format!("afluente-bench-{}", Uuid::now_v7().simple());
    let broker = url.map(|url| (url, prefix.as_str()));
    let measured = under_load(server, broker, connections, lasting, requests).await;
    if let Some((url, prefix)) = broker {
        sweep(url, prefix).await?;
    }
    Ok(line(what, connections, measured?, requests))
}

/// What the load saw, and what the server's process used for it.
async fn under_load(
    server: What,
    broker: Option<(&str, &str)>,
    connections: usize,
    lasting: Duration,
    requests: &Arc<Vec<Vec<u8>>>,
) -> Result<(Seen, Used), Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::unavailable(&error))?;
    under(Apart::start(server, folder.path(), broker).await?, connections, lasting, requests).await
}

/// Loads a server that was started, and ends it.
pub(super) async fn under(
    apart: Apart,
    connections: usize,
    lasting: Duration,
    requests: &Arc<Vec<Vec<u8>>>,
) -> Result<(Seen, Used), Failure> {
    let load = async |lasting| {
        let requests = Arc::clone(requests);
        drive(apart.address, connections, lasting, move |number| requests[number % BODIES].clone()).await
    };
    load(WARMED_UP).await;
    let before = apart.used();
    let seen = load(lasting).await;
    let used = apart.used().since(before);
    apart.end().await?;
    Ok((seen, used))
}

#[allow(clippy::cast_precision_loss, reason = "for display")]
pub(super) fn line(what: &'static str, connections: usize, (mut seen, used): (Seen, Used), sent: &[Vec<u8>]) -> Line {
    let mean = sent.iter().map(Vec::len).sum::<usize>() / sent.len();
    let (p50_ms, p99_ms) = percentiles(&mut seen.latencies);
    let requests = seen.accepted.max(1) as f64;
    Line {
        what,
        connections,
        rate: seen.accepted as f64 / seen.took.as_secs_f64(),
        p50_ms,
        p99_ms,
        core_us: used.core.as_secs_f64() * 1e6 / requests,
        written: used.written as f64 / (requests * mean as f64),
        peak_rss_mb: used.peak_rss_mb,
        refused: seen.refused,
    }
}

/// One signed request to a server of ours.
pub(super) fn request(account: &BenchAccount, number: usize) -> Vec<u8> {
    request_to(account, "/webhooks/stripe/bench", number)
}

/// One signed request.
pub(super) fn request_to(account: &BenchAccount, path: &str, number: usize) -> Vec<u8> {
    let body = event(number);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nStripe-Signature: {}\r\nContent-Length: {}\r\n\r\n",
        account.signature(&body),
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

impl Line {
    /// How it did beside the others of its turn, in words.
    pub(super) fn beside(&self, three: &[Line]) -> String {
        let others = three.iter().take_while(|line| line.what != self.what);
        let shares = others.map(|line| format!("{:.2} of {}", self.rate / line.rate, line.what));
        let refused = (self.refused > 0).then(|| format!("{} refused", self.refused));
        shares.chain(refused).collect::<Vec<_>>().join(", ")
    }

    fn row(&self, three: &[Line]) -> Vec<String> {
        vec![
            self.what.to_owned(),
            self.connections.to_string(),
            format!("{:.0}", self.rate),
            ms(self.p50_ms),
            ms(self.p99_ms),
            format!("{:.1}", self.core_us),
            format!("{:.2}", self.written),
            self.peak_rss_mb.to_string(),
            self.beside(three),
        ]
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "server": self.what,
            "connections": self.connections,
            "rate": self.rate,
            "p50_ms": self.p50_ms,
            "p99_ms": self.p99_ms,
            "core_us": self.core_us,
            "written_per_sent": self.written,
            "peak_rss_mb": self.peak_rss_mb,
            "refused": self.refused,
        })
    }
}
