//! `afluente demo`: the whole system on simulated traffic, in a folder of its own.

use std::path::PathBuf;
use std::time::Duration;

use afluente_model::Gateway;
use afluente_simulate::{Checks, Difference, Plan, Target, Traffic, Truth, check, play};
use clap::Args;

use crate::exit::Failure;
use crate::node::{Node, Part};
use crate::simulate::{self, fresh_run, send};
use crate::up::stop_signal;
use crate::{config, init, logging, measure, output};

/// Starts every role in one process on free ports and a fresh folder, plays Stripe against it (shuffled, repeated, some
/// forged), prints how each kind of payment ended beside how it is known to end, and serves until Ctrl-C.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// How many payments
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    payments: u32,
    /// Stop after the table instead of serving
    #[arg(long)]
    once: bool,
}

/// Plays, compares, serves.
pub(crate) async fn run(args: &DemoArgs) -> Result<(), Failure> {
    logging::start(logging::Format::Text, "warn")?;
    let folder = fresh_folder()?;
    init::complete(&folder)?;
    let config = config::load(&folder)?.on_free_ports();
    let secret = config.accounts[0].signing_secret()?;
    let tolerance_seconds = config.accounts[0].credentials.tolerance_seconds;
    let mut node = Node::start(&folder, config, Part::All, measure::install()?).await?;
    output::print(&format!(
        "Playing Stripe: {} payments, shuffled, a third of the deliveries twice, one in twenty forged.\n",
        args.payments
    ));
    let plan = Plan {
        gateway: Gateway::Stripe,
        payments: args.payments as usize,
        seed: 1,
        run: fresh_run(),
        seller: None,
        checks: Checks::SECRET,
        api: "v1",
        shuffle: true,
        duplicate: 0.3,
        times: 1,
        forge: 0.05,
        until: afluente_worker::now().as_seconds() - 60,
    };
    let Traffic { posts, truth, .. } = play(&plan).map_err(|error| Failure::unavailable(&error))?;
    let url = format!("http://{}/webhooks/stripe/{}", node.ingress()?, init::ACCOUNT);
    let url = url.parse().map_err(|_| Failure::Unavailable(format!("{url} is no URL")))?;
    let target = Target {
        gateway: Gateway::Stripe,
        url,
        secret: Some(secret),
        login: None,
        token: None,
        api: None,
        connections: 16,
        rate: 0,
        patience: Duration::from_secs(60),
        tolerance_seconds,
        clock: afluente_worker::now,
    };
    let sent = send(&target, posts).await?;
    check::settled(node.store()?, init::ACCOUNT, &sent.acknowledged, Duration::from_secs(60)).await?;
    let differences = check::all(node.store()?, Gateway::Stripe, init::ACCOUNT, &sent.acknowledged, &truth).await?;
    output::print(&table(&truth, &differences));
    output::print(&format!(
        "{} deliveries acknowledged, {} of {} forgeries refused, {} payments, {} from the truth.\n{}",
        sent.accepted,
        sent.refused(),
        sent.forgeries(),
        truth.len(),
        output::count(differences.len() as i128, "difference"),
        simulate::table(&differences),
    ));
    let whole = sent.given_up == 0 && sent.unanswered() == 0 && sent.believed() == 0;
    let result = if differences.is_empty() && whole {
        Ok(())
    } else {
        Err(Failure::Found("the ledger is not the truth, or not everything was answered".to_owned()))
    };
    if !args.once && result.is_ok() {
        output::print(&where_to_look(&node, &folder, &truth));
        let served = node.serve(stop_signal()).await;
        node.stop().await;
        return served;
    }
    node.stop().await;
    result
}

fn fresh_folder() -> Result<PathBuf, Failure> {
    let folder =
        tempfile::Builder::new().prefix("afluente-demo-").tempdir().map_err(|error| Failure::unavailable(&error))?;
    // Kept: people look into it afterwards, with the commands printed below.
    Ok(folder.keep())
}

/// One line a kind of life: how it ends, and how many of its payments ended so.
fn table(truth: &[Truth], differences: &[Difference]) -> String {
    let mut lives: Vec<&'static str> = Vec::new();
    for one in truth {
        if !lives.contains(&one.life) {
            lives.push(one.life);
        }
    }
    let rows = lives.iter().map(|life| {
        let of_life: Vec<&Truth> = truth.iter().filter(|one| one.life == *life).collect();
        let wrong: std::collections::BTreeSet<&str> =
            differences.iter().filter(|one| one.life == *life).map(|one| one.entity.as_str()).collect();
        let one = of_life[0];
        let money =
            |minor: i64| if minor == 0 { "-".to_owned() } else { format!("{}%", minor * 100 / one.captured.max(1)) };
        vec![
            (*life).to_owned(),
            one.status.to_owned(),
            money(one.refunded),
            money(one.disputed),
            money(one.charged_back),
            of_life.len().to_string(),
            (of_life.len() - wrong.len()).to_string(),
        ]
    });
    let headings = ["LIFE", "KNOWN TO END AS", "REFUNDED", "DISPUTED", "LOST", "PAYMENTS", "SO IN THE LEDGER"];
    output::table(&headings, &[2, 3, 4, 5, 6], rows)
}

fn where_to_look(node: &Node, folder: &std::path::Path, truth: &[Truth]) -> String {
    let data = folder.display();
    let example = truth.iter().find(|one| one.status == "CHARGED_BACK").map_or("pi_…", |one| &one.id);
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
