//! `afluente adopt`: beside a legacy application's tables, in the same database.

mod plan;

use afluente_store::{Location, Server};
use clap::Args;

use crate::exit::Failure;

/// Looks at the tables of an application that is there already, in the database our ledger is in, and says what writing beside
/// its columns would mean. Reads the catalogue and counts rows; changes nothing
#[derive(Args)]
pub(crate) struct AdoptArgs {
    /// Print what is there, what each word would lose, every conflict, and a section for the configuration. Exit code 1 if the
    /// installation cannot be adopted, with the reason
    #[arg(long, required = true)]
    plan: bool,
    /// The schema the application's tables are in
    #[arg(long, default_value = "public", value_name = "SCHEMA")]
    schema: String,
    /// As whom to look: a URL of the same database for a role that may read those tables. Without it, as the ledger's own
    #[arg(long, env = "AFLUENTE_ADMIN_URL", hide_env_values = true, value_name = "URL")]
    admin_url: Option<Server>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: &AdoptArgs, location: &Location) -> Result<(), Failure> {
    let server = match (&args.admin_url, location) {
        (Some(server), _) | (None, Location::Server(server)) => server,
        (None, Location::Folder(_)) => {
            return Err(Failure::Usage(
                "a legacy application is adopted in its own database, and this ledger is in a file: name the database in \
                 [ledger], or with --admin-url to look first"
                    .to_owned(),
            ));
        }
    };
    plan::run(server, &args.schema, args.json).await
}
