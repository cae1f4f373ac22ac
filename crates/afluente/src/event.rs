//! `afluente events`: what changed, and who changed it.

use afluente_model::Timestamp;
use afluente_store::report::{EventFilter, EventOf, EventView};
use afluente_store::{Location, Store};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::exit::Failure;
use crate::moment::since;
use crate::output;
use crate::payment::timeline::plain;

/// Looks at the lifecycle of payments, subscriptions, dead letters and inconsistencies.
#[derive(Subcommand)]
pub(crate) enum EventsCommand {
    /// Lists changes, the latest first
    List(ListArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only of this: payment, subscription, dead_letter, inconsistency or want
    #[arg(long, value_name = "WHAT", value_parser = ["payment", "subscription", "dead_letter", "inconsistency", "want"])]
    of: Option<String>,
    /// Only this kind, for example status_changed
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only what this actor did: worker, or the name of a person
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Only since: a time such as 2026-11-26T03:00:00Z, or how long ago, such as 90m, 12h or 7d
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(command: &EventsCommand, location: &Location) -> Result<(), Failure> {
    let EventsCommand::List(args) = command;
    let filter = EventFilter {
        entity_type: args.of.clone(),
        kind: args.kind.clone(),
        actor: args.by.clone(),
        since: args.since,
        limit: args.limit,
    };
    let events = Store::open_read_only(location).await?.events(&filter).await?;
    if args.json {
        output::print_json(&Value::Array(events.iter().map(document).collect()));
        return Ok(());
    }
    let rows = events.iter().map(|one| {
        vec![
            one.event.recorded_at.to_string(),
            one.entity_type.clone(),
            one.reference.clone().unwrap_or_else(|| one.entity.to_string()),
            one.event.kind.clone(),
            told(&one.event.detail),
            one.event.actor.clone(),
        ]
    });
    output::print(&output::table(&["WRITTEN", "OF", "ID", "EVENT", "CHANGED", "BY"], &[], rows));
    Ok(())
}

fn document(one: &EventOf) -> Value {
    let mut document = change_json(&one.event);
    document["entity_type"] = json!(one.entity_type);
    document["entity"] = json!(one.entity.to_string());
    document["reference"] = json!(one.reference);
    document
}

/// A change as programs read it.
pub(crate) fn change_json(event: &EventView) -> Value {
    json!({
        "row_version": event.row_version, "recorded_at": event.recorded_at.to_string(), "kind": event.kind,
        "actor": event.actor, "receipt": event.receipt.map(|id| id.to_string()), "detail": detail(&event.detail),
    })
}

fn detail(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// How many characters of a change are shown in a table.
const SHOWN_CHARACTERS: usize = 80;

/// A change in a few words: the status first, since that is what is looked for.
pub(crate) fn told(text: &str) -> String {
    let Value::Object(columns) = detail(text) else { return text.to_owned() };
    let (status, others): (Map<String, Value>, Map<String, Value>) =
        columns.into_iter().partition(|(name, _)| name == "status_v2" || name == "base");
    let words: Vec<String> = status.iter().chain(&others).map(change).collect();
    let line = words.join(", ");
    let cut: String = line.chars().take(SHOWN_CHARACTERS).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}

fn change((name, value): (&String, &Value)) -> String {
    match value.as_array().map(Vec::as_slice) {
        Some([old, new]) => format!("{name} {} → {}", plain(old), plain(new)),
        _ => format!("{name} {}", plain(value)),
    }
}
