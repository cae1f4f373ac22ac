//! `afluente migrate`: the ledger's schema.

use std::os::unix::net::UnixStream;
use std::path::Path;

use afluente_store::{Location, Schema};
use clap::Args;
use serde_json::json;

use crate::control::SOCKET_FILE;
use crate::exit::Failure;
use crate::output;

/// Brings the ledger's schema to what this program knows. `afluente up` does the same at its start; this is for a role that
/// may change the schema where the one that works may not, and for going back a version.
#[derive(Args)]
pub(crate) struct MigrateArgs {
    /// Change nothing: exit code 1 if the schema is behind or ahead
    #[arg(long, conflicts_with = "down")]
    check: bool,
    /// Take the last N migrations back, with the tables they made and all that is in them
    #[arg(long, value_name = "N", requires = "yes")]
    down: Option<usize>,
    /// Mean it
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does it and says from where to where.
pub(crate) async fn run(args: &MigrateArgs, folder: &Path, location: &Location) -> Result<(), Failure> {
    if args.check {
        let schema = Schema::read(location).await?;
        told(&schema, &schema.applied, args.json);
        return judged(&schema);
    }
    let before = match args.down {
        Some(count) => {
            if UnixStream::connect(folder.join(SOCKET_FILE)).is_ok() {
                return Err(Failure::Unavailable(
                    "a process works on this ledger; stop it, and every other that does, before going back".to_owned(),
                ));
            }
            Schema::down(location, count).await?
        }
        None => Schema::up(location).await?,
    };
    let after = Schema::read(location).await?;
    told(&after, &before.applied, args.json);
    Ok(())
}

/// Refuses a ledger whose schema is not this program's.
pub(crate) fn judged(schema: &Schema) -> Result<(), Failure> {
    let list = |versions: Vec<i64>| versions.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let (pending, unknown) = (schema.pending().collect::<Vec<_>>(), schema.unknown().collect::<Vec<_>>());
    if !unknown.is_empty() {
        let unknown = list(unknown);
        return Err(Failure::Found(format!(
            "the ledger is ahead: a newer version of Afluente made {unknown}; install that one"
        )));
    }
    if !pending.is_empty() {
        return Err(Failure::Found(format!("the ledger is behind by {}; run `afluente migrate`", list(pending))));
    }
    Ok(())
}

fn told(schema: &Schema, before: &[i64], as_json: bool) {
    if as_json {
        output::print_json(&json!({
            "before": before, "applied": schema.applied, "known": schema.known, "current": schema.is_current(),
        }));
        return;
    }
    let version = |applied: &[i64]| applied.last().map_or_else(|| "nothing".to_owned(), i64::to_string);
    let (was, is) = (version(before), version(&schema.applied));
    let known = version(&schema.known);
    let moved = if was == is { format!("is at {is}") } else { format!("went from {was} to {is}") };
    output::print(&format!("the ledger's schema {moved}; this program knows {known}"));
}
