//! `afluente wants`: what has to be read back at a gateway, how asking ended, and a person's say in it.

use std::path::Path;

use afluente_store::report::WantView;
use afluente_store::{Location, Store};
use afluente_worker::desk;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::control::{Answer, Door, Request};
use crate::decide::{DecideArgs, Told};
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
    decide: DecideArgs,
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
    decide: DecideArgs,
}

/// Runs the command. What changes something goes through the process that holds the folder, where one does.
pub(crate) async fn run(command: &WantsCommand, folder: &Path, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    match command {
        WantsCommand::List(args) => list(&store, args).await,
        WantsCommand::Show(args) => show(&store, args).await,
        WantsCommand::Retry(args) => decide(&store, &args.ids, &args.decide, &Decision::Retry, folder, location).await,
        WantsCommand::Drop(args) if args.because.trim().is_empty() => {
            Err(Failure::Usage("--because expects why it is given up, got an empty text".to_owned()))
        }
        WantsCommand::Drop(args) => {
            let decision = Decision::Drop { because: args.because.clone() };
            decide(&store, &args.ids, &args.decide, &decision, folder, location).await
        }
    }
}

/// What a person decides about wants.
enum Decision {
    Retry,
    Drop { because: String },
}

impl Decision {
    /// Asked of the process that holds the folder.
    fn request(&self, ids: &[Uuid], by: &str) -> Request {
        let (ids, by) = (ids.to_vec(), by.to_owned());
        match self {
            Decision::Retry => Request::RetryWants { ids, by },
            Decision::Drop { because } => Request::DropWants { ids, by, because: because.clone() },
        }
    }

    /// The same where no process runs.
    async fn apply(&self, ids: &[Uuid], by: &str, location: &Location) -> Result<Vec<Uuid>, Failure> {
        let store = Store::open(location).await?;
        let done = match self {
            Decision::Retry => desk::retry_wants(&store, ids).await?,
            Decision::Drop { because } => desk::drop_wants(&store, ids, by, because).await?,
        };
        store.close().await;
        Ok(done)
    }

    fn told(&self) -> Told {
        let done = match self {
            Decision::Retry => "asked now",
            Decision::Drop { .. } => "given up",
        };
        Told { one: "want", several: "wants", done, before: "answered or given up meanwhile" }
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

/// Decides about wants that are open, after showing them where that is all.
async fn decide(
    store: &Store,
    ids: &[Uuid],
    args: &DecideArgs,
    decision: &Decision,
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
        Some(door) => door.ask(decision.request(ids, &args.by)).await?,
        None => Answer::settled(ids, decision.apply(ids, &args.by, location).await?),
    };
    decision.told().print(&answer, args.json);
    Ok(())
}
