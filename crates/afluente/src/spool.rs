//! `afluente spool`: what an ingress kept while its broker was away.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use afluente_model::Timestamp;
use afluente_queue::embedded::{Peeked, peek};
use afluente_queue::{EmbeddedOptions, PublishError, Queue};
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use serde_json::json;

use crate::config::{self, queue::SPOOL_FOLDER};
use crate::exit::Failure;
use crate::output;

/// How long a broker that is away is waited for, without a delivery sent, before the command gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Looks into a spool, and empties one whose ingress is no more.
#[derive(Subcommand)]
pub(crate) enum SpoolCommand {
    /// Says how many deliveries wait in a spool and since when, also beside the process that holds it
    Status(StatusArgs),
    /// Sends what lies in a spool to the broker of `[queue] url`. An ingress that runs does so by itself; this is for the folder
    /// of one that does not come back
    Drain(DrainArgs),
}

#[derive(Args)]
pub(crate) struct StatusArgs {
    /// The spool's folder; default: the one in the data folder
    path: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct DrainArgs {
    /// The spool's folder; default: the one in the data folder
    path: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(command: &SpoolCommand, folder: &Path) -> Result<(), Failure> {
    match command {
        SpoolCommand::Status(args) => status(&place(args.path.as_ref(), folder), args.json),
        SpoolCommand::Drain(args) => drain(&place(args.path.as_ref(), folder), folder, args.json).await,
    }
}

fn place(path: Option<&PathBuf>, folder: &Path) -> PathBuf {
    path.cloned().unwrap_or_else(|| folder.join(SPOOL_FOLDER))
}

fn status(path: &Path, as_json: bool) -> Result<(), Failure> {
    let Some(Peeked { messages, bytes, oldest }) = peek(path)? else {
        return Err(Failure::Found(format!("there is no spool in {}", path.display())));
    };
    let since = oldest.and_then(|id| id.0.get_timestamp()).and_then(|moment| {
        let (seconds, nanos) = moment.to_unix();
        Timestamp::from_micros(i64::try_from(seconds).ok()?.checked_mul(1_000_000)? + i64::from(nanos / 1_000)).ok()
    });
    if as_json {
        let since = since.map(|moment| moment.to_string());
        output::print_json(&json!({"messages": messages, "bytes": bytes, "oldest_received_at": since}));
    } else {
        let since = since.map(|moment| format!(", the oldest received at {moment}")).unwrap_or_default();
        output::print(&format!("{} in {}, {bytes} bytes{since}\n", output::count(messages, "message"), path.display()));
    }
    Ok(())
}

async fn drain(path: &Path, folder: &Path, as_json: bool) -> Result<(), Failure> {
    let config = config::load(folder)?;
    if config.has_embedded_queue() {
        return Err(Failure::Usage("expected [queue] url or AMQP_URL: there is no broker to send to".to_owned()));
    }
    let waiting = peek(path)?.ok_or_else(|| Failure::Found(format!("there is no spool in {}", path.display())))?;
    let orphan = Queue::open_embedded(EmbeddedOptions::new(path))?;
    let broker = config.open_queue(folder, false)?;
    let moved = pour(&orphan, &broker, waiting.messages).await;
    let left = orphan.depth().map_or(0, |held| held.total().ready + held.total().delayed);
    broker.close().await;
    orphan.close().await;
    let (moved, refused) = moved?;
    if as_json {
        output::print_json(&json!({"moved": moved, "left": left}));
    } else {
        output::print(&format!("{} sent, {left} left\n", output::count(moved, "message")));
    }
    match refused {
        None => Ok(()),
        Some(error) => Err(Failure::Unavailable(format!(
            "{error}; what is left is safe in {}: run the command again",
            path.display()
        ))),
    }
}

/// Moves all there is; how many went, and why the rest did not within the patience of this command.
async fn pour(orphan: &Queue, broker: &Queue, waiting: u64) -> Result<(u64, Option<PublishError>), Failure> {
    let progress = ProgressBar::new(waiting);
    let (mut moved, mut last) = (0, Instant::now());
    loop {
        let poured = orphan.pour_into(broker).await.map_err(|error| Failure::unavailable(&error))?;
        moved += poured.moved;
        progress.inc(poured.moved);
        if poured.moved > 0 {
            last = Instant::now();
        }
        let empty = orphan.depth().is_none_or(|held| held.total().ready + held.total().delayed == 0);
        match poured.refused {
            None if empty => return Ok((moved, None)),
            Some(error) if last.elapsed() > PATIENCE => return Ok((moved, Some(error))),
            // What was given back is there again in a moment.
            Some(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            None if poured.moved == 0 => tokio::time::sleep(Duration::from_millis(100)).await,
            None => {}
        }
    }
}
