//! `afluente wants`: what has to be read back at a gateway, how asking ended, and a person's say in it.

use std::path::Path;

use afluente_store::report::WantView;
use afluente_store::{Location, Store};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::control::{Answer, Door, Request};
use crate::exit::Failure;
use crate::output;

/// Looks at what has to be read back at a gateway before it can be believed, and decides about it.
#[derive(Subcommand)]
pub(crate) enum WantsCommand {
    /// Lists open wants, oldest first
    List(ListArgs),
    /// Shows one: why it was raised, how asking ended the last time, when it is asked next
    Show(ShowArgs),
    /// Asks wants now, whatever was answered last
    Retry(RetryArgs),
    /// Gives wants up: they are not asked any more. What raises one again makes a new one
    Drop(DropArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The want
    id: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct RetryArgs {
    /// These wants
    #[arg(required = true)]
    ids: Vec<Uuid>,
    #[command(flatten)]
    acts: ActArgs,
}

#[derive(Args)]
pub(crate) struct DropArgs {
    /// These wants
    #[arg(required = true)]
    ids: Vec<Uuid>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    because: String,
    #[command(flatten)]
    acts: ActArgs,
}

/// What every command that changes something takes.
#[derive(Args)]
struct ActArgs {
    /// Only show which they are
    #[arg(long)]
    dry_run: bool,
    /// Who does it, for the record
    #[arg(long, env = "USER", default_value = "operator", value_name = "NAME")]
    by: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command. What changes something goes through the process that holds the folder, where one does.
pub(crate) async fn run(command: &WantsCommand, folder: &Path, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    match command {
        WantsCommand::List(args) => list(&store, args).await,
        WantsCommand::Show(args) => show(&store, args).await,
        WantsCommand::Retry(args) => {
            let (ids, by) = (args.ids.clone(), args.acts.by.clone());
            act(&store, &args.ids, &args.acts, Request::RetryWants { ids, by }, "asked now", folder, location).await
        }
        WantsCommand::Drop(args) if args.because.trim().is_empty() => {
            Err(Failure::Usage("--because expects why it is given up, got an empty text".to_owned()))
        }
        WantsCommand::Drop(args) => {
            let (ids, by, because) = (args.ids.clone(), args.acts.by.clone(), args.because.clone());
            let request = Request::DropWants { ids, by, because };
            act(&store, &args.ids, &args.acts, request, "given up", folder, location).await
        }
    }
}

async fn list(store: &Store, args: &ListArgs) -> Result<(), Failure> {
    let wants = store.wants(args.account.as_deref(), args.limit).await?;
    if args.json {
        output::print_json(&Value::Array(wants.iter().map(document).collect()));
    } else {
        output::print(&table(&wants));
    }
    Ok(())
}

fn document(want: &WantView) -> Value {
    json!({
        "id": want.id.to_string(), "account": want.account, "tenant": want.tenant, "kind": want.kind, "reference": want.reference,
        "context": want.context, "reason": want.reason, "raised": want.raised, "attempts": want.attempts,
        "last_outcome": want.last_outcome, "created_at": want.created_at.to_string(), "due_at": want.due_at.to_string(),
        "receipt": want.receipt.to_string(),
    })
}

fn table(wants: &[WantView]) -> String {
    let rows = wants.iter().map(|want| {
        vec![
            want.id.to_string(),
            want.kind.clone(),
            want.reference.clone(),
            want.account.clone(),
            want.reason.clone(),
            want.raised.to_string(),
            want.attempts.to_string(),
            want.last_outcome.clone().unwrap_or_else(|| "-".to_owned()),
            want.created_at.to_string(),
            want.due_at.to_string(),
        ]
    });
    let headings = ["WANT", "KIND", "REFERENCE", "ACCOUNT", "REASON", "RAISED", "ASKED", "LAST", "SINCE", "DUE"];
    output::table(&headings, &[5, 6], rows)
}

async fn show(store: &Store, args: &ShowArgs) -> Result<(), Failure> {
    let document = document(&named(store, args.id).await?);
    if args.json {
        output::print_json(&document);
    } else {
        output::print(&output::record(&document));
    }
    Ok(())
}

async fn named(store: &Store, id: Uuid) -> Result<WantView, Failure> {
    let missing = || Failure::Found(format!("no open want {id}; `afluente wants list` shows what there is"));
    store.want(id).await?.ok_or_else(missing)
}

/// Does what is asked of wants that are open, after showing it where that is all.
async fn act(
    store: &Store,
    ids: &[Uuid],
    args: &ActArgs,
    request: Request,
    done: &str,
    folder: &Path,
    location: &Location,
) -> Result<(), Failure> {
    let mut found = Vec::new();
    for id in ids {
        found.push(named(store, *id).await?);
    }
    if args.dry_run {
        output::print(&table(&found));
        return Ok(());
    }
    let answer: Answer = match Door::of_process(folder).await {
        Some(door) => door.ask(request).await?,
        None => Answer::settled(ids, by_ourselves(&request, location).await?),
    };
    if args.json {
        output::print_json(&json!({"done": answer.done, "already_settled": answer.already_settled}));
        return Ok(());
    }
    output::print(&format!("{} {done}\n", output::count(answer.done.len() as i128, "want")));
    if !answer.already_settled.is_empty() {
        let before = output::count(answer.already_settled.len() as i128, "want");
        output::print(&format!("{before} answered or given up meanwhile\n"));
    }
    Ok(())
}

async fn by_ourselves(request: &Request, location: &Location) -> Result<Vec<Uuid>, Failure> {
    let store = Store::open(location).await?;
    let done = match request {
        Request::RetryWants { ids, .. } => afluente_worker::desk::retry_wants(&store, ids).await?,
        Request::DropWants { ids, by, because } => afluente_worker::desk::drop_wants(&store, ids, by, because).await?,
        _ => Vec::new(),
    };
    store.close().await;
    Ok(done)
}
