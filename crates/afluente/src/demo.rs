//! `afluente demo`: the whole system on simulated traffic of every gateway, in a folder of its own.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::exit::Failure;
use crate::node::{Node, Part};
use crate::simulate::{OfAccount, SimulateArgs, every_account, told_of_all};
use crate::up::stop_signal;
use crate::{config, logging, measure, output};

mod folder;

/// Starts every role in one process on free ports and a fresh folder, plays all five gateways against it (shuffled, repeated,
/// some forged, each with its API), prints what came of each account beside what is known to be true, and serves until Ctrl-C.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// How many payments
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    payments: u32,
    /// Stop after the table instead of serving
    #[arg(long)]
    once: bool,
    /// Only write a folder with a test account at every gateway, for `afluente up` and `afluente simulate --gateways all`
    #[arg(long, value_name = "DIR", conflicts_with_all = ["payments", "once"])]
    prepare: Option<PathBuf>,
}

/// Plays, compares, serves.
pub(crate) async fn run(args: &DemoArgs) -> Result<(), Failure> {
    if let Some(data) = &args.prepare {
        folder::prepare(data)?;
        output::print(&prepared(data));
        return Ok(());
    }
    logging::start(logging::Format::Text, "error")?;
    let data = fresh_folder()?;
    folder::prepare(&data)?;
    let config = config::load(&data)?;
    let mut node = Node::start(&data, config::load(&data)?, Part::All, measure::install()?).await?;
    output::print(&format!(
        "Playing five gateways: {} payments, shuffled, a third of the deliveries twice, one in twenty forged.\n\n",
        args.payments
    ));
    let played = every_account(&SimulateArgs::of_demo(args.payments), &config).await;
    let result = played.as_ref().map(Vec::as_slice).map_or(Ok(()), verdict);
    if let Ok(all) = &played {
        output::print(&told_of_all(all));
    }
    if !args.once && result.is_ok() && played.is_ok() {
        output::print(&where_to_look(&node, &data, played.as_deref().unwrap_or_default()));
        let served = node.serve(stop_signal()).await;
        node.stop().await;
        return served;
    }
    node.stop().await;
    played.map(drop).and(result)
}

fn verdict(all: &[OfAccount<'_>]) -> Result<(), Failure> {
    all.iter().try_for_each(|one| one.told.verdict())
}

fn fresh_folder() -> Result<PathBuf, Failure> {
    let folder =
        tempfile::Builder::new().prefix("afluente-demo-").tempdir().map_err(|error| Failure::unavailable(&error))?;
    // Kept: people look into it afterwards, with the commands printed below.
    Ok(folder.keep())
}

fn prepared(data: &Path) -> String {
    let data = data.display();
    format!(
        "{data} has a test account at every gateway. Now, in one terminal and in another:\n  \
         afluente up --data {data}\n  \
         afluente simulate --gateways all --check --data {data}\n"
    )
}

fn where_to_look(node: &Node, folder: &Path, all: &[OfAccount<'_>]) -> String {
    let data = folder.display();
    let truth = all.iter().flat_map(|one| &one.told.truth);
    let example = truth.into_iter().find(|one| one.status == "CHARGED_BACK").map_or("pi_…", |one| &one.id);
    format!(
        "\nServing until Ctrl-C. In another terminal:\n  \
         afluente payments list --data {data}\n  \
         afluente payments show {example} --data {data}\n  \
         afluente rebuild --check --data {data}\n  \
         curl http://{}/metrics\n\
         (`afluente` is target/release/afluente; delete {data} when you are done)\n",
        node.admin
    )
}
