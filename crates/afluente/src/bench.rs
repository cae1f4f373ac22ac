//! `afluente bench`: measures this machine. Every figure comes with the bare thing it is compared with, from one run.

mod apart;
mod bare;
mod body;
mod core;
mod cpu;
mod ingress;
mod load;
mod path;
mod peers;
mod plain;
mod serve;
mod sweep;
mod worker;

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

/// Measures this machine: HTTP to fsynced queue, queue to committed ledger, and the pure core against hashing and parsing
/// the same bytes. Uses a temporary folder and loopback only; load generator, server and disk share the machine.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    step: Option<Step>,
    /// Seconds each ingress step is measured
    #[arg(long, default_value_t = 3, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Connections of each ingress step
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 128], value_name = "N,…")]
    connections: Vec<usize>,
    /// Deliveries the worker step handles
    #[arg(long, default_value_t = 20_000, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    deliveries: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One step alone, more closely.
#[derive(Subcommand)]
enum Step {
    Ingress(ingress::IngressArgs),
    Worker(worker::WorkerArgs),
    Path(path::PathArgs),
    Peers(peers::PeersArgs),
    #[command(hide = true)]
    Serve(serve::ServeArgs),
}

/// One measured line.
struct Figure {
    what: String,
    rate: f64,
    unit: &'static str,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    compared: Option<String>,
}

/// Runs every step and prints the table.
pub(crate) async fn run(args: &BenchArgs) -> Result<(), Failure> {
    match &args.step {
        Some(Step::Ingress(args)) => return ingress::run(args).await,
        Some(Step::Worker(args)) => return worker::run(args).await,
        Some(Step::Path(args)) => return path::run(args).await,
        Some(Step::Peers(args)) => return peers::run(args).await,
        Some(Step::Serve(args)) => return serve::run(args).await,
        None => {}
    }
    check(&args.connections)?;
    let mut figures = core::measure();
    for connections in &args.connections {
        let three = ingress::measure(None, *connections, Duration::from_secs(args.seconds)).await?;
        figures.extend(three.iter().map(|line| Figure {
            what: format!("{}, {connections} connections", line.what),
            rate: line.rate,
            unit: "requests/s",
            p50_ms: line.p50_ms,
            p99_ms: line.p99_ms,
            compared: Some(line.beside(&three)).filter(|beside| !beside.is_empty()),
        }));
    }
    figures.push(worker::figure(args.deliveries as usize).await?);
    let rss = peak_rss_mb();
    if args.json {
        let list: Vec<Value> = figures
            .iter()
            .map(|one| json!({"what": one.what, "rate": one.rate, "unit": one.unit, "p50_ms": one.p50_ms, "p99_ms": one.p99_ms, "compared": one.compared}))
            .collect();
        output::print_json(&json!({"figures": list, "peak_rss_mb": rss}));
        return Ok(());
    }
    let rows = figures.iter().map(|one| {
        let compared = one.compared.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            one.what.clone(),
            format!("{:.0}", one.rate),
            one.unit.to_owned(),
            ms(one.p50_ms),
            ms(one.p99_ms),
            compared,
        ]
    });
    output::print(&output::table(&["WHAT", "RATE", "UNIT", "P50 MS", "P99 MS", "COMPARED"], &[1, 3, 4], rows));
    output::print(&format!("peak resident memory of this process: load generator and worker: {rss} MB"));
    Ok(())
}

fn check(connections: &[usize]) -> Result<(), Failure> {
    if connections.iter().all(|connections| (1..=1024).contains(connections)) {
        return Ok(());
    }
    Err(Failure::Usage("--connections expects numbers from 1 to 1024".to_owned()))
}

/// The most memory this process ever held, in MB; 0 where the system does not tell.
fn peak_rss_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Milliseconds in a table.
fn ms(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

/// The middle and the slow end of sorted latencies, in milliseconds.
#[allow(clippy::cast_precision_loss, reason = "for display")]
fn percentiles(latencies: &mut [u64]) -> (Option<f64>, Option<f64>) {
    latencies.sort_unstable();
    let at = |share: usize| latencies.get(latencies.len() * share / 100).map(|micros| *micros as f64 / 1_000.0);
    (at(50), at(99))
}
