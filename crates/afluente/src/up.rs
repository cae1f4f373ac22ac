//! `afluente up`, `afluente ingress`, `afluente worker`: a process that serves until it is told to stop.

use std::path::Path;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Failure;
use crate::node::{Node, Part, absolute};
use crate::{config, init, logging, measure, output};

/// Runs ingress, queue, worker and ledger in one process on one data folder. The first start makes the folder with a
/// commented configuration and a test account. Ends cleanly on SIGTERM and Ctrl-C: requests under way are answered, what is
/// queued stays queued.
#[derive(Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    serve: ServeArgs,
}

/// Receives webhooks and publishes them to the broker of `[queue] url`; as many of these as you like. Needs the configuration
/// and the keys of the deployment in its data folder, and no ledger. Starts without the broker, and waits for it.
#[derive(Args)]
pub(crate) struct IngressArgs {
    #[command(flatten)]
    serve: ServeArgs,
}

/// Works on what waits on the broker of `[queue] url` and writes it to the ledger; as many of these as you like where the
/// ledger is on a server. Needs the configuration and the keys of the deployment in its data folder.
#[derive(Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Args)]
struct ServeArgs {
    /// How log lines are written, over the configuration
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<logging::Format>,
}

/// Everything, completing the folder first.
pub(crate) async fn run(args: &UpArgs, folder: &Path) -> Result<(), Failure> {
    let made = init::complete(folder)?;
    serve(&args.serve, folder, Part::All, &made).await
}

/// Only receiving.
pub(crate) async fn ingress(args: &IngressArgs, folder: &Path) -> Result<(), Failure> {
    serve(&args.serve, folder, Part::Ingress, &init::Made::default()).await
}

/// Only working.
pub(crate) async fn worker(args: &WorkerArgs, folder: &Path) -> Result<(), Failure> {
    serve(&args.serve, folder, Part::Worker, &init::Made::default()).await
}

/// Serves until a signal.
async fn serve(args: &ServeArgs, folder: &Path, part: Part, made: &init::Made) -> Result<(), Failure> {
    let config = config::load(folder)?;
    logging::start(args.log_format.unwrap_or(config.log_format), &config.log_level)?;
    let metrics = measure::install()?;
    let notes = config.notes.clone();
    let accounts: Vec<(String, String)> =
        config.accounts.iter().map(|one| (one.gateway.slug().to_owned(), one.name.to_string())).collect();
    let mut node = Node::start(folder, config, part, metrics).await?;
    let mut text = String::new();
    if let Some(ingress) = node.ingress {
        for (gateway, name) in &accounts {
            text.push_str(&format!("webhooks   http://{ingress}/webhooks/{gateway}/{name}\n"));
        }
    }
    text.push_str(&format!("health     http://{}/readyz   metrics http://{}/metrics\n", node.admin, node.admin));
    text.push_str(&format!("data       {}\n", absolute(folder).display()));
    if !made.0.is_empty() {
        text.push_str(&first_steps(folder, made));
    }
    for note in &notes {
        text.push_str(&format!("note: {note}\n"));
    }
    output::print(&text);
    let served = node.serve(stop_signal()).await;
    node.stop().await;
    served
}

/// What a person does after a first start.
fn first_steps(folder: &Path, made: &init::Made) -> String {
    let folder = folder.display();
    let secret = init::SECRET_FILE;
    format!(
        "\nThis was the first start; it made {}. Next:\n  \
         1. play Stripe against it:   afluente simulate --data {folder} --shuffle --duplicate 0.3 --forge 0.05 --check\n  \
         2. look at the payments:     afluente payments list --data {folder}\n  \
         3. use your own endpoint:    put its signing secret (whsec_…) into {folder}/{secret} and save {folder}/{}\n",
        made.0.join(", "),
        config::FILE,
    )
}

/// Ends at SIGTERM or Ctrl-C.
pub(crate) async fn stop_signal() -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Failure::Unavailable(format!("cannot listen for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
