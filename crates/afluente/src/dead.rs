//! `afluente dead`: the desk of deliveries that could not be handled.

use std::path::Path;

use afluente_store::report::{DeadFilter, DeadView};
use afluente_store::{DeadReason, Store};
use afluente_worker::desk::{Preview, preview};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::Config;
use crate::control::{Answer, Door, Request};
use crate::exit::Failure;
use crate::output;

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
}

#[derive(Args, Clone)]
pub(crate) struct Which {
    /// Only this reason, for example malformed
    #[arg(long, value_name = "REASON")]
    reason: Option<DeadReason>,
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only this gateway
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
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
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<Uuid>,
    /// All that match the filters
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: Which,
    /// Only show what would happen
    #[arg(long)]
    dry_run: bool,
    /// At most so many a second; 0 for no limit
    #[arg(long, default_value_t = 50, value_name = "N")]
    rate: u32,
    /// Who does it, for the record
    #[arg(long, env = "USER", default_value = "operator", value_name = "NAME")]
    by: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct DiscardArgs {
    /// These dead letters
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<Uuid>,
    /// All that match the filters
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: Which,
    /// Why, for the record
    #[arg(long, value_name = "REASON")]
    because: String,
    /// Only show what would happen
    #[arg(long)]
    dry_run: bool,
    /// Who does it, for the record
    #[arg(long, env = "USER", default_value = "operator", value_name = "NAME")]
    by: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command. Acting goes through the process that holds the folder, where one does.
pub(crate) async fn run(command: &DeadCommand, folder: &Path, config: &Config) -> Result<(), Failure> {
    let store = Store::open_read_only(&config.ledger).await?;
    match command {
        DeadCommand::List(args) => list(&store, args).await,
        DeadCommand::Show(args) => show(&store, args, config).await,
        DeadCommand::Replay(args) => {
            let letters = selected(&store, &args.ids, &args.which).await?;
            if args.dry_run {
                return previews(&store, &letters, config, args.json).await;
            }
            let ids = letters.iter().map(|letter| letter.id).collect();
            let request = Request::Replay { ids, by: args.by.clone(), rate: args.rate };
            act(folder, config, request, "replayed", args.json).await
        }
        DeadCommand::Discard(args) => {
            if args.because.trim().is_empty() {
                return Err(Failure::Usage("--because expects a reason, got an empty text".to_owned()));
            }
            let letters = selected(&store, &args.ids, &args.which).await?;
            if args.dry_run {
                return previews(&store, &letters, config, args.json).await;
            }
            let ids = letters.iter().map(|letter| letter.id).collect();
            let request = Request::Discard { ids, by: args.by.clone(), because: args.because.clone() };
            act(folder, config, request, "discarded", args.json).await
        }
    }
}

fn filter(which: &Which, settled: bool) -> DeadFilter {
    DeadFilter {
        id: None,
        reason: which.reason,
        account: which.account.clone(),
        gateway: which.gateway.clone(),
        settled,
        limit: which.limit,
    }
}

async fn list(store: &Store, args: &ListArgs) -> Result<(), Failure> {
    if args.group {
        let groups = store.dead_groups().await?;
        if args.json {
            let list = groups.iter().map(|group| {
                json!({"reason": group.reason, "gateway": group.gateway, "account": group.account, "count": group.count})
            });
            output::print_json(&Value::Array(list.collect()));
        } else {
            let rows = groups.iter().map(|group| {
                let account = group.account.clone().unwrap_or_else(|| "-".to_owned());
                vec![group.reason.clone(), group.gateway.clone(), account, group.count.to_string()]
            });
            output::print(&output::table(&["REASON", "GATEWAY", "ACCOUNT", "COUNT"], &[3], rows));
        }
        return Ok(());
    }
    let letters = store.dead_letters(&filter(&args.which, args.settled)).await?;
    if args.json {
        output::print_json(&Value::Array(letters.iter().map(document).collect()));
    } else {
        output::print(&table(&letters));
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
    let letters = selected(store, &[args.id], &Which { reason: None, account: None, gateway: None, limit: 1 }).await?;
    for letter in &letters {
        let now = would_now(store, letter, config).await?;
        let mut document = document(letter);
        if args.json {
            document["now"] = json!(now);
            output::print_json(&document);
            continue;
        }
        let rows =
            document.as_object().into_iter().flatten().map(|(name, value)| {
                vec![name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)]
            });
        let rows = rows.chain([vec!["would now".to_owned(), now]]);
        output::print(&output::table(&["", ""], &[], rows));
    }
    Ok(())
}

/// The letters named, or all that match.
async fn selected(store: &Store, ids: &[Uuid], which: &Which) -> Result<Vec<DeadView>, Failure> {
    if ids.is_empty() {
        return Ok(store.dead_letters(&filter(which, false)).await?);
    }
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

async fn act(folder: &Path, config: &Config, request: Request, done: &str, json: bool) -> Result<(), Failure> {
    let door = Door::open(folder, config).await?;
    let answer = door.ask(request).await;
    door.close().await;
    let answer: Answer = answer?;
    if json {
        output::print_json(
            &json!({"done": answer.done, "already_settled": answer.already_settled, "failed": answer.failed, "left": answer.left}),
        );
    } else {
        output::print(&text(&answer, done));
    }
    if !answer.left.is_empty() {
        let left = output::count(answer.left.len() as i128, "dead letter");
        return Err(Failure::Unavailable(format!("the process stopped before {left}; run the command again")));
    }
    if answer.failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::Found(format!(
            "{} could not be {done}",
            output::count(answer.failed.len() as i128, "dead letter")
        )))
    }
}

fn text(answer: &Answer, done: &str) -> String {
    let mut text = format!("{} {done}\n", output::count(answer.done.len() as i128, "dead letter"));
    if !answer.already_settled.is_empty() {
        text.push_str(&format!("{} settled before by somebody else\n", answer.already_settled.len()));
    }
    for (id, error) in &answer.failed {
        text.push_str(&format!("{id}: {error}\n"));
    }
    text
}
