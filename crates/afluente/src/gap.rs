//! `afluente gaps`: what could not be written beside the facts, and making it good.

use std::path::Path;

use afluente_model::AccountName;
use afluente_store::report::{GapFilter, GapView};
use afluente_store::{GapTarget, Location, Store};
use afluente_worker::repair_gaps;
use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::adopt;
use crate::config;
use crate::control::{Door, Request};
use crate::exit::Failure;
use crate::output;

/// Looks at gaps: customers, or rows of a legacy application, that could not be written when their payment was. The worker makes
/// them good by itself every few seconds; one that stays has a cause that does not go away
#[derive(Subcommand)]
pub(crate) enum GapsCommand {
    /// Lists open gaps, the oldest first, with why each could not be written
    List(ListArgs),
    /// Makes open gaps good now, from what is stored. Exit code 1 if any stays
    Repair(RepairArgs),
}

#[derive(Clone, Copy, ValueEnum)]
enum Target {
    Customers,
    Legacy,
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only in customers, or only in a legacy application's columns
    #[arg(long, value_name = "WHERE")]
    target: Option<Target>,
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<AccountName>,
    /// Those that were made good too
    #[arg(long)]
    repaired: bool,
    /// At most this many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct RepairArgs {
    /// Only show what would be made good
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What came of a repair.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Repaired {
    /// Gaps that are closed now.
    pub(crate) repaired: u64,
    /// Gaps that are open still.
    pub(crate) open: u64,
}

impl Repaired {
    /// Makes good whatever can be.
    pub(crate) async fn all(store: &Store) -> Result<Repaired, afluente_store::StoreError> {
        let mut repaired = 0;
        loop {
            let closed = repair_gaps(store).await?;
            if closed == 0 {
                break;
            }
            repaired += closed as u64;
        }
        let mut open = 0;
        for target in GapTarget::ALL {
            open += store.open_gaps(target).await?.open;
        }
        Ok(Repaired { repaired, open })
    }
}

/// Runs the command. A repair goes through the process that holds the folder, where one does.
pub(crate) async fn run(command: &GapsCommand, folder: &Path, location: &Location) -> Result<(), Failure> {
    match command {
        GapsCommand::List(args) => list(args, location).await,
        GapsCommand::Repair(args) => repair(args, folder, location).await,
    }
}

async fn list(args: &ListArgs, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    let target = args.target.map(|target| match target {
        Target::Customers => GapTarget::Customers,
        Target::Legacy => GapTarget::Legacy,
    });
    let account = args.account.as_ref().map(ToString::to_string);
    let gaps = store.gaps(&GapFilter { target, account, repaired: args.repaired, limit: args.limit }).await?;
    print(&gaps, args.json);
    Ok(())
}

async fn repair(args: &RepairArgs, folder: &Path, location: &Location) -> Result<(), Failure> {
    if args.dry_run {
        let store = Store::open_read_only(location).await?;
        let filter = GapFilter { limit: u32::MAX, ..GapFilter::default() };
        print(&store.gaps(&filter).await?, args.json);
        return Ok(());
    }
    let done: Repaired = if let Some(door) = Door::of_process(folder).await {
        door.ask(Request::RepairGaps {}).await?
    } else {
        let config = config::load(folder)?;
        let store = adopt::beside(Store::open(location).await?, &config).await?;
        let done = Repaired::all(&store).await?;
        store.close().await;
        done
    };
    if args.json {
        output::print_json(&json!(done));
    } else {
        output::print(&format!("{} made good\n", output::count(done.repaired, "gap")));
    }
    if done.open == 0 {
        return Ok(());
    }
    Err(Failure::Found(format!(
        "{} still open: `afluente gaps list` says why each could not be written",
        output::count(done.open, "gap")
    )))
}

fn print(gaps: &[GapView], as_json: bool) {
    if as_json {
        output::print_json(&Value::Array(gaps.iter().map(document).collect()));
    } else {
        output::print(&table(gaps));
    }
}

fn table(gaps: &[GapView]) -> String {
    let rows = gaps.iter().map(|gap| {
        vec![
            gap.target.clone(),
            gap.subject_kind.clone(),
            gap.subject_id.clone(),
            gap.account.clone(),
            gap.reason.clone(),
            gap.seen.to_string(),
            gap.first_seen_at.to_string(),
            gap.repaired_at.map_or_else(|| "open".to_owned(), |at| at.to_string()),
            gap.detail.clone(),
        ]
    });
    output::table(&["IN", "OF", "ID", "ACCOUNT", "REASON", "SEEN", "SINCE", "MADE GOOD", "WHY"], &[5], rows)
}

fn document(gap: &GapView) -> Value {
    json!({
        "id": gap.id.to_string(), "target": gap.target, "account": gap.account, "tenant": gap.tenant,
        "subject_kind": gap.subject_kind, "subject_id": gap.subject_id, "reason": gap.reason, "detail": gap.detail,
        "receipt": gap.receipt.map(|id| id.to_string()), "first_seen_at": gap.first_seen_at.to_string(),
        "last_seen_at": gap.last_seen_at.to_string(), "seen": gap.seen,
        "repaired_at": gap.repaired_at.map(|at| at.to_string()),
    })
}
