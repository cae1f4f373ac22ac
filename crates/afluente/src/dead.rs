//! `afluente dead`: the desk of deliveries that could not be handled.

use std::path::Path;
use std::time::Duration;

use afluente_store::Store;
use afluente_store::report::{DeadFilter, DeadView};
use afluente_worker::desk::{Preview, preview};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::Config;
use crate::control::Request;
use crate::decide::DecideArgs;
use crate::exit::Failure;
use crate::output;
use act::{Doing, act};
use stake::group;
use which::Which;

mod act;
pub(crate) mod open;
mod stake;
mod which;

/// What names letters without their ids.
const SOME: [&str; 5] = ["all", "reason", "account", "gateway", "since"];

/// Looks at deliveries that could not be handled, and decides about them. Nothing here deletes one.
#[derive(Subcommand)]
pub(crate) enum DeadCommand {
    /// Lists open dead letters, the latest first, or counts them by reason
    List(ListArgs),
    /// Shows one: why it is here, what would happen now; never its body, only size and hash
    Show(ShowArgs),
    /// Puts dead letters back on the queue, as they came; a future-dated one is released by it
    Replay(ReplayArgs),
    /// Gives dead letters up, with a reason
    Discard(DiscardArgs),
    /// Writes dead letters as lines of JSON, the oldest last; with their sealed bytes if asked for
    Export(ExportArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    which: Which,
    /// Count by reason, gateway and account instead
    #[arg(long)]
    group: bool,
    /// Settled ones too
    #[arg(long)]
    settled: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The dead letter
    id: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// These dead letters
    #[arg(required_unless_present_any = SOME, conflicts_with_all = SOME)]
    ids: Vec<Uuid>,
    /// All that match the filters; implied by any of them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: Which,
    /// At most so many a second; 0 for no limit
    #[arg(long, default_value_t = 50, value_name = "N")]
    rate: u32,
    #[command(flatten)]
    decide: DecideArgs,
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    which: Which,
    /// Settled ones too
    #[arg(long)]
    settled: bool,
    /// Head and body too, in base64: personal data, for whoever may see it
    #[arg(long)]
    with_bodies: bool,
}

#[derive(Args)]
pub(crate) struct DiscardArgs {
    /// These dead letters
    #[arg(required_unless_present_any = SOME, conflicts_with_all = SOME)]
    ids: Vec<Uuid>,
    /// All that match the filters; implied by any of them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: Which,
    /// Why, for the record
    #[arg(long, value_name = "REASON")]
    because: String,
    #[command(flatten)]
    decide: DecideArgs,
}

/// Runs the command. Acting goes through the process that holds the folder, where one does.
pub(crate) async fn run(command: &DeadCommand, folder: &Path, config: &Config) -> Result<(), Failure> {
    let store = Store::open_read_only(&config.ledger).await?;
    match command {
        DeadCommand::List(args) if args.group => group(&store, &args.which, args.settled, args.json, config).await,
        DeadCommand::List(args) => list(&store, args).await,
        DeadCommand::Export(args) => export(&store, args).await,
        DeadCommand::Show(args) => show(&store, args, config).await,
        DeadCommand::Replay(args) => {
            let letters = selected(&store, &args.ids, &args.which).await?;
            if args.decide.dry_run {
                return previews(&store, &letters, config, args.decide.json).await;
            }
            let request = |ids| Request::Replay { ids, by: args.decide.by.clone(), rate: args.rate };
            let pause = Duration::from_secs(1).checked_div(args.rate).unwrap_or_default();
            act(folder, config, &letters, request, Doing { done: "replayed", pause, json: args.decide.json }).await
        }
        DeadCommand::Discard(args) => {
            if args.because.trim().is_empty() {
                return Err(Failure::Usage("--because expects a reason, got an empty text".to_owned()));
            }
            let letters = selected(&store, &args.ids, &args.which).await?;
            if args.decide.dry_run {
                return previews(&store, &letters, config, args.decide.json).await;
            }
            let request = |ids| Request::Discard { ids, by: args.decide.by.clone(), because: args.because.clone() };
            let doing = Doing { done: "discarded", pause: Duration::ZERO, json: args.decide.json };
            act(folder, config, &letters, request, doing).await
        }
    }
}

async fn list(store: &Store, args: &ListArgs) -> Result<(), Failure> {
    let letters = store.dead_letters(&args.which.filter(args.settled)).await?;
    if args.json {
        output::print_json(&Value::Array(letters.iter().map(document).collect()));
    } else {
        output::print(&table(&letters));
    }
    Ok(())
}

async fn export(store: &Store, args: &ExportArgs) -> Result<(), Failure> {
    for letter in store.dead_letters(&args.which.filter(args.settled)).await? {
        let mut document = document(&letter);
        if args.with_bodies
            && let Some(held) = store.dead_message(letter.id).await?
        {
            document["head_base64"] = json!(BASE64_STANDARD.encode(&held.head));
            document["body_base64"] = json!(BASE64_STANDARD.encode(&held.body));
        }
        output::print(&format!("{document}\n"));
    }
    Ok(())
}

fn table(letters: &[DeadView]) -> String {
    let rows = letters.iter().map(|letter| {
        vec![
            letter.id.to_string(),
            letter.gateway.clone(),
            letter.account.clone().unwrap_or_else(|| "-".to_owned()),
            letter.reason.clone(),
            letter.attempts.to_string(),
            letter.state.clone(),
            letter.last_seen_at.to_string(),
            letter.error.chars().take(80).collect(),
        ]
    });
    output::table(&["DEAD LETTER", "GATEWAY", "ACCOUNT", "REASON", "TRIES", "STATE", "LAST SEEN", "ERROR"], &[4], rows)
}

fn document(letter: &DeadView) -> Value {
    json!({
        "id": letter.id.to_string(),
        "delivery_id": letter.delivery_id.to_string(),
        "gateway": letter.gateway,
        "account": letter.account,
        "reason": letter.reason,
        "error": letter.error,
        "attempts": letter.attempts,
        "seen": letter.seen,
        "first_seen_at": letter.first_seen_at.to_string(),
        "last_seen_at": letter.last_seen_at.to_string(),
        "state": letter.state,
        "settled_by": letter.settled_by,
        "settled_because": letter.settled_because,
        "body_bytes": letter.body_bytes,
        "body_sha256": letter.body_hash.as_deref().map(hex),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// What would happen to a letter now.
async fn would_now(store: &Store, letter: &DeadView, config: &Config) -> Result<String, Failure> {
    let held = store.dead_message(letter.id).await?;
    let gone = || "come back: it is not in the ledger any more".to_owned();
    let keys = config.seal_keys()?;
    Ok(held.map_or_else(gone, |held| said(&preview(&held, &config.worker_accounts(), &keys))))
}

async fn show(store: &Store, args: &ShowArgs, config: &Config) -> Result<(), Failure> {
    let letters = named(store, &[args.id]).await?;
    for letter in &letters {
        let now = would_now(store, letter, config).await?;
        let mut document = document(letter);
        document["now"] = json!(now);
        if args.json {
            output::print_json(&document);
        } else {
            output::print(&output::record(&document));
        }
    }
    Ok(())
}

/// The letters named, or all that match.
async fn selected(store: &Store, ids: &[Uuid], which: &Which) -> Result<Vec<DeadView>, Failure> {
    if !ids.is_empty() {
        return named(store, ids).await;
    }
    let letters = store.dead_letters(&which.filter(false)).await?;
    if letters.len() == which.limit as usize {
        output::note(&format!("these are the latest {}; there may be more: see --limit", letters.len()));
    }
    Ok(letters)
}

async fn named(store: &Store, ids: &[Uuid]) -> Result<Vec<DeadView>, Failure> {
    let mut letters = Vec::new();
    for id in ids {
        let mut found = store.dead_letters(&DeadFilter { id: Some(*id), limit: 1, ..DeadFilter::default() }).await?;
        let missing = || Failure::Found(format!("no dead letter {id}; `afluente dead list` shows what there is"));
        letters.push(found.pop().ok_or_else(missing)?);
    }
    Ok(letters)
}

fn said(preview: &Preview) -> String {
    match preview {
        Preview::Applies { event_type, facts, wants } => {
            format!(
                "be applied: {event_type}, {}, {}",
                output::count(*facts as i128, "fact"),
                output::count(*wants as i128, "want")
            )
        }
        Preview::Ignored(because) => format!("be kept and change nothing: {because}"),
        Preview::Fails(error) => format!("come back: {error}"),
    }
}

async fn previews(store: &Store, letters: &[DeadView], config: &Config, json: bool) -> Result<(), Failure> {
    let mut said = Vec::with_capacity(letters.len());
    for letter in letters {
        said.push((letter.id.to_string(), would_now(store, letter, config).await?));
    }
    if json {
        output::print_json(&Value::Array(said.iter().map(|(id, now)| json!({"id": id, "would": now})).collect()));
    } else {
        let rows = said.into_iter().map(|(id, now)| vec![id, now]);
        output::print(&output::table(&["DEAD LETTER", "WOULD NOW"], &[], rows));
    }
    Ok(())
}
