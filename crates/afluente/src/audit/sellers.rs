//! `afluente audit merchants-missing`.

use std::path::Path;

use afluente_store::Store;
use afluente_store::legacy::{Counted, MissingMerchant};
use clap::Args;
use serde_json::{Value, json};

use crate::config;
use crate::exit::Failure;
use crate::output;

#[derive(Args)]
pub(super) struct MissingArgs {
    /// At most this many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &MissingArgs, store: &Store, folder: &Path) -> Result<(), Failure> {
    if !store.audits_legacy(Counted::Sellers).await? {
        return Err(Failure::Usage(
            "sellers are an application's: adopt it first (`afluente adopt --plan` says what is there)".to_owned(),
        ));
    }
    let config = config::load(folder)?;
    let configured = config.legacy.sellers.0.keys().map(String::as_str);
    let missing = store.legacy_merchants_missing(configured, args.limit).await?;
    if args.json {
        output::print_json(&Value::Array(missing.iter().map(document).collect()));
    } else {
        output::print(&table(&missing));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let count = output::count(missing.len() as i128, "seller");
    Err(Failure::Found(format!("{count} not there: rows of theirs are nobody's until the application has them")))
}

fn table(missing: &[MissingMerchant]) -> String {
    let rows = missing.iter().map(|one| {
        let newest = one.newest.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let reference = if one.reference.is_empty() { "-" } else { &one.reference };
        vec![reference.to_owned(), one.kind.clone(), one.found.to_string(), newest]
    });
    output::table(&["SELLER", "WHAT IS MISSING", "ROWS", "NEWEST"], &[2], rows)
}

fn document(one: &MissingMerchant) -> Value {
    json!({
        "seller": one.reference, "missing": one.kind, "rows": one.found, "newest": one.newest.map(|at| at.to_string()),
    })
}
