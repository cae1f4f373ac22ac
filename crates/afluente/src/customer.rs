//! `afluente customers`: who a team's customers are across gateways, and what makes us say so. Personal data, for whoever may see it.

mod claim;
mod decide;
mod decision;
mod list;
mod show;
mod subject;

use std::path::Path;

use afluente_store::report::Who;
use afluente_store::{Location, Store};
use clap::Subcommand;
use uuid::Uuid;

use crate::config;
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
    /// Says that an address or a gateway's customer is another customer's, whatever is said of it. --dry-run shows who would
    /// move
    Merge(decide::MergeArgs),
    /// Says that an address or a gateway's customer is nobody else's. --dry-run shows who would move
    Split(decide::SplitArgs),
    /// Takes a merge or a split back: what was said holds again
    Undo(decide::UndoArgs),
    /// Lists merges and splits, the newest first, with who decided and why
    Decisions(decision::DecisionsArgs),
}

/// What a person typed to find somebody by.
struct Asked {
    /// As an address or a gateway's id is written.
    text: String,
    /// As a document is.
    document: String,
    id: Option<Uuid>,
}

impl Asked {
    fn read(who: &str) -> Asked {
        let who = who.trim();
        let text = if who.contains('@') { who.to_lowercase() } else { who.to_owned() };
        let document = who.to_uppercase().chars().filter(|letter| !matches!(letter, '.' | '-' | '/' | ' ')).collect();
        Asked { text, document, id: Uuid::parse_str(who).ok() }
    }

    fn who(&self) -> Who<'_> {
        Who { text: &self.text, document: &self.document, id: self.id }
    }
}

/// Runs the command.
pub(crate) async fn run(command: &CustomersCommand, folder: &Path, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    match command {
        CustomersCommand::List(args) => list::run(&store, args).await,
        CustomersCommand::Show(args) => show::run(&store, args).await,
        CustomersCommand::Claims(args) => claim::run(&store, args).await,
        CustomersCommand::Merge(args) => decide::merge(&store, args, folder, &config::load(folder)?).await,
        CustomersCommand::Split(args) => decide::split(&store, args, folder, &config::load(folder)?).await,
        CustomersCommand::Undo(args) => decide::undo(&store, args, folder, &config::load(folder)?).await,
        CustomersCommand::Decisions(args) => decision::run(&store, args).await,
    }
}
