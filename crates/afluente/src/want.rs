//! `afluente wants`: what must be read back at a gateway.

use afluente_store::{Location, Store};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

/// Looks at open questions for the gateways: what was only hinted at, or cannot be believed alone.
#[derive(Subcommand)]
pub(crate) enum WantsCommand {
    /// Lists open wants, the oldest first
    List(ListArgs),
}

/// Which wants to list.
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

/// Runs the command on the ledger in this folder.
pub(crate) async fn run(command: &WantsCommand, location: &Location) -> Result<(), Failure> {
    let WantsCommand::List(args) = command;
    let store = Store::open_read_only(location).await?;
    let wants = store.wants(args.account.as_deref(), args.limit).await?;
    if args.json {
        let list = wants.iter().map(|want| {
            json!({
                "account": want.account, "tenant": want.tenant, "kind": want.kind, "reference": want.reference,
                "context": want.context, "reason": want.reason, "raised": want.raised, "attempts": want.attempts,
                "last_outcome": want.last_outcome, "created_at": want.created_at.to_string(), "due_at": want.due_at.to_string(),
            })
        });
        output::print_json(&Value::Array(list.collect()));
        return Ok(());
    }
    let rows = wants.iter().map(|want| {
        vec![
            want.kind.clone(),
            want.reference.clone(),
            want.account.clone(),
            want.reason.clone(),
            want.raised.to_string(),
            want.created_at.to_string(),
            want.due_at.to_string(),
        ]
    });
    output::print(&output::table(&["KIND", "REFERENCE", "ACCOUNT", "REASON", "RAISED", "SINCE", "DUE"], &[4], rows));
    Ok(())
}
