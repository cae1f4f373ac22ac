//! `afluente vocabulary`: every gateway word, the facts it becomes, what it reads as.

use afluente_gateways::adapter;
use afluente_model::Gateway;
use clap::Args;
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

/// Prints every word of every gateway we know, the facts it becomes and the status they read as when nothing else is
/// known.
#[derive(Args)]
pub(crate) struct VocabularyArgs {
    /// Only this gateway
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the table.
pub(crate) fn run(args: &VocabularyArgs) -> Result<(), Failure> {
    let gateways = match args.gateway.as_deref() {
        None => Gateway::ALL.to_vec(),
        Some(slug) => vec![Gateway::named(slug).ok_or_else(|| {
            let known: Vec<&str> = Gateway::ALL.iter().map(|gateway| gateway.slug()).collect();
            Failure::Usage(format!("expected one of {}, got {slug:?}", known.join(", ")))
        })?],
    };
    let entries: Vec<_> = gateways
        .iter()
        .flat_map(|gateway| adapter(*gateway).vocabulary().into_iter().map(move |entry| (gateway, entry)))
        .collect();
    if args.json {
        let list: Vec<Value> = entries
            .iter()
            .map(|(gateway, entry)| {
                json!({"gateway": gateway.slug(), "field": entry.field, "word": entry.word, "facts": entry.facts, "reads_as": entry.reads_as})
            })
            .collect();
        output::print_json(&Value::Array(list));
    } else {
        let rows = entries.iter().map(|(gateway, entry)| {
            let facts = if entry.facts.is_empty() { "-".to_owned() } else { entry.facts.join(", ") };
            vec![
                gateway.slug().to_owned(),
                entry.field.to_owned(),
                entry.word.to_string(),
                facts,
                entry.reads_as.to_owned(),
            ]
        });
        output::print(&output::table(&["GATEWAY", "FIELD", "WORD", "FACTS", "READS AS"], &[], rows));
    }
    Ok(())
}
