//! `afluente adopt`: beside a legacy application's tables, in the same database.

mod make;
mod plan;

use std::path::Path;

use afluente_store::legacy::{Beside, Catalogue, Targets, lacks};
use afluente_store::{Location, Server, Store};
use clap::Args;

use crate::config::{Config, LegacyConfig};
use crate::exit::Failure;

/// Looks at the tables of an application that is there already, in the database our ledger is in, says what writing beside
/// its columns would mean, and makes or takes away what that needs
#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(group = clap::ArgGroup::new("what").required(true).args(["plan", "apply", "undo"]))]
pub(crate) struct AdoptArgs {
    /// Print what is there, what each word would lose, every conflict, and a section for the configuration. Reads the
    /// catalogue and counts rows; changes nothing. Exit code 1 if the installation cannot be adopted, with the reason
    #[arg(long)]
    plan: bool,
    /// Make the role, its rights to named columns, functions and two tables of ours. Shows the statements; --yes runs them
    #[arg(long)]
    apply: bool,
    /// Take all of that away, and put back what stood in their columns before us where our words still stand. Shows the
    /// statements; --yes runs them
    #[arg(long)]
    undo: bool,
    /// The schema the application's tables are in
    #[arg(long, default_value = "public", value_name = "SCHEMA")]
    schema: String,
    /// Give the right to the application's own `status` as well
    #[arg(long, requires = "apply")]
    status: bool,
    /// As whom: a URL of the same database for a role that may read those tables, and for --apply and --undo give rights to
    /// them. Without it, as the ledger's own
    #[arg(long, env = "AFLUENTE_ADMIN_URL", hide_env_values = true, value_name = "URL")]
    admin_url: Option<Server>,
    /// Do it
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: &AdoptArgs, folder: &Path, location: &Location) -> Result<(), Failure> {
    let of_ledger = match location {
        Location::Server(server) => Some(server),
        Location::Folder(_) => None,
    };
    let admin = args.admin_url.as_ref().or(of_ledger).ok_or_else(in_a_file)?;
    if args.plan {
        return plan::run(admin, &args.schema, args.json).await;
    }
    let ledger = of_ledger.ok_or_else(in_a_file)?;
    make::run(args, admin, ledger, folder).await
}

fn in_a_file() -> Failure {
    Failure::Usage(
        "a legacy application is adopted in its own database, and this ledger is in a file: name the database in [ledger], or \
         with --admin-url to look first"
            .to_owned(),
    )
}

/// The store as the configuration has it: customers for whom they are on, beside the application it names, if it names one;
/// refused where something is missing for that.
pub(crate) async fn beside(store: Store, config: &Config) -> Result<Store, Failure> {
    let store = store.with_customers(config.customers.by_account(&config.accounts));
    let LegacyConfig { schema, written, writes_status, .. } = &config.legacy;
    let switches = written.by_account(&config.accounts);
    let Location::Server(server) = &config.ledger else { return Ok(store) };
    if !switches.is_on() {
        return Ok(store);
    }
    let catalogue = Catalogue::read(server, schema).await?;
    let targets = Targets::of(&catalogue).map_err(|unfit| Failure::Usage(plan::cannot(&unfit)))?;
    let lacks = lacks(server, schema, &targets, *writes_status).await?;
    if !lacks.is_empty() {
        return Err(Failure::Usage(format!(
            "[legacy] write is on, and {}: run `afluente adopt --apply --yes` as a role that may, or set write = \"off\"",
            lacks.join("; ")
        )));
    }
    Ok(store.beside(Beside { targets, switches, writes_status: *writes_status }))
}
