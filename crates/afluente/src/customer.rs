//! `afluente customers`: who a team's customers are across gateways, and what makes us say so. Personal data, for whoever may see it.

mod claim;
mod list;
mod show;

use afluente_store::{Location, Store};
use clap::Subcommand;

use crate::exit::Failure;

/// Looks at customers: where each is known, what each pays with, and what was claimed of them.
#[derive(Subcommand)]
pub(crate) enum CustomersCommand {
    /// Lists customers, the latest change first
    List(list::ListArgs),
    /// Shows whoever is known by an address, a document, a gateway's customer, a payment or our id
    Show(show::ShowArgs),
    /// Lists what is claimed of whatever has this id at its gateway: a customer, a method, a session, a payment
    Claims(claim::ClaimsArgs),
}

/// Runs the command.
pub(crate) async fn run(command: &CustomersCommand, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    match command {
        CustomersCommand::List(args) => list::run(&store, args).await,
        CustomersCommand::Show(args) => show::run(&store, args).await,
        CustomersCommand::Claims(args) => claim::run(&store, args).await,
    }
}
