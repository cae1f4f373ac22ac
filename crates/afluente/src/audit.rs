//! `afluente audit`: how much of what is owed stands in the ledger, and in an application's rows beside it, against goals.

mod sellers;
mod share;
mod window;

use std::path::Path;

use afluente_model::Timestamp;
use afluente_store::{Location, Store};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::exit::Failure;
use crate::{moment, output};
use window::Window;

/// Shows by gateway which share of payments has a customer, its link at the gateway, a status and a method, and which share of
/// completed checkout sessions found its payment: of all time and lately. Of an application that was adopted also which share of
/// its rows has the words and is in the ledger. Green from the goal, red ten percent below it. Exit code 1 if anything is red
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: Option<AuditCommand>,
    /// What counts as lately: a moment, or so long ago
    #[arg(long, value_parser = moment::since, default_value = "7d", value_name = "TIME")]
    since: Timestamp,
    /// Only this merchant's payments and sessions; rows of an application are not told apart
    #[arg(long, value_name = "NAME")]
    merchant: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Lists sellers that an application's rows or the configuration name and that are not there. Exit code 1 if there are any
    MerchantsMissing(sellers::MissingArgs),
}

/// How many red shares are named at the end; the table has all.
const NAMED: usize = 4;

/// Runs the command.
pub(crate) async fn run(args: &AuditArgs, folder: &Path, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    if let Some(AuditCommand::MerchantsMissing(args)) = &args.command {
        return sellers::run(args, &store, folder).await;
    }
    let merchant = args.merchant.as_deref();
    let windows = [
        Window::read(&store, "all time", Timestamp::EPOCH, merchant).await?,
        Window::read(&store, "lately", args.since, merchant).await?,
    ];
    if args.json {
        output::print_json(&json!({
            "since": args.since.to_string(), "windows": windows.iter().map(Window::document).collect::<Vec<_>>(),
        }));
    } else {
        output::print(&window::text(&windows));
    }
    let red: Vec<String> = windows.iter().flat_map(Window::red).collect();
    if red.is_empty() {
        return Ok(());
    }
    let more = if red.len() > NAMED { format!(" and {} more", red.len() - NAMED) } else { String::new() };
    Err(Failure::Found(format!("below its goal: {}{more}", red[..red.len().min(NAMED)].join(", "))))
}
