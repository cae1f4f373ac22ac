//! `afluente unknown`: what gateways said that no table of ours has.

use afluente_store::{Location, Store};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

/// Looks at words of the gateways that nobody here knows. Each is worth a report.
#[derive(Subcommand)]
pub(crate) enum UnknownCommand {
    /// Lists words by where they stood, the most frequent first
    List(ListArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// At most this many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(command: &UnknownCommand, location: &Location) -> Result<(), Failure> {
    let UnknownCommand::List(args) = command;
    let words = Store::open_read_only(location).await?.unknown_words(args.limit).await?;
    if args.json {
        let list = words.iter().map(|word| {
            json!({
                "provider_v2": word.provider_v2, "account": word.account, "field": word.field, "word": word.word,
                "seen": word.seen, "first_seen_at": word.first_seen_at.to_string(),
                "last_seen_at": word.last_seen_at.to_string(), "receipt": word.receipt.map(|id| id.to_string()),
            })
        });
        output::print_json(&Value::Array(list.collect()));
        return Ok(());
    }
    let rows = words.iter().map(|word| {
        vec![
            word.provider_v2.clone(),
            word.account.clone(),
            word.field.clone(),
            if word.word.is_empty() { "(empty)".to_owned() } else { word.word.clone() },
            word.seen.to_string(),
            word.first_seen_at.to_string(),
            word.last_seen_at.to_string(),
            word.receipt.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        ]
    });
    let headings = ["GATEWAY", "ACCOUNT", "FIELD", "WORD", "SEEN", "FIRST", "LAST", "EXAMPLE RECEIPT"];
    output::print(&output::table(&headings, &[4], rows));
    Ok(())
}
