//! `afluente rebuild`: proves the ledger, and mends what differs.

use std::path::Path;

use afluente_store::{Store, StoreError};
use afluente_worker::Accounts;
use afluente_worker::rebuild::{Plan, Progress, Repaired, Report, check, plan};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::config::Config;
use crate::control::{Door, Request};
use crate::exit::Failure;
use crate::output;

/// Proves the ledger: every row is the fold of its stored facts, and the facts are what today's adapters and accounts read
/// in the receipts still held. Safe beside a running process. Exit code 1 if anything differs.
#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(group = clap::ArgGroup::new("what").required(true).args(["check", "apply"]))]
pub(crate) struct RebuildArgs {
    /// Compare and report; nothing is written
    #[arg(long)]
    check: bool,
    /// Mend what differs: receipts are read again, rows folded anew, facts that no receipt says taken out. Shows what it
    /// would do; --yes does it
    #[arg(long)]
    apply: bool,
    /// Write, instead of showing what would be written
    #[arg(long, requires = "apply")]
    yes: bool,
    /// Who does it, for the record
    #[arg(long, env = "USER", default_value = "operator", value_name = "NAME")]
    by: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How many differences a person is shown.
const SHOWN: usize = 50;
/// How often what a running worker changed meanwhile is looked at again.
const ROUNDS: usize = 3;

/// Recomputes everything, mends if asked to, and reports.
pub(crate) async fn run(args: &RebuildArgs, folder: &Path, config: &Config) -> Result<(), Failure> {
    let accounts = config.worker_accounts();
    let mut report = compare(config, &accounts, args.apply).await?;
    let mut written = Repaired::default();
    for _ in 0..ROUNDS {
        if !args.yes || report.plan.is_empty() {
            break;
        }
        mend(&report.plan, folder, config, &args.by, &mut written).await?;
        report = compare(config, &accounts, true).await?;
    }
    if args.json {
        output::print_json(&document(&report, args, &written));
    } else {
        output::print(&text(&report));
        output::print(&mended(&report.plan, args, &written));
    }
    if report.differences.is_empty() || (args.apply && !args.yes && report.plan.beyond_repair == 0) {
        Ok(())
    } else {
        Err(Failure::Found(format!("{} found", output::count(report.differences.len() as i128, "difference"))))
    }
}

/// Recomputes everything, with progress on standard error.
pub(crate) async fn compare(config: &Config, accounts: &Accounts, whole_plan: bool) -> Result<Report, StoreError> {
    let customers = config.customers.by_account(&config.accounts);
    let store = Store::open_snapshot(&config.ledger).await?.with_customers(customers);
    let total = store.counts().await?;
    let bar = bar(u64::try_from(total.receipts + total.payments).unwrap_or(0));
    let receipts = u64::try_from(total.receipts).unwrap_or(0);
    let told = |progress| match progress {
        Progress::Receipts(read) => {
            bar.set_message("receipts");
            bar.set_position(read);
        }
        Progress::Rows(compared) => {
            bar.set_message("rows");
            bar.set_position(receipts + compared);
        }
    };
    let report = if whole_plan { plan(&store, accounts, told).await } else { check(&store, accounts, told).await };
    bar.finish_and_clear();
    store.close().await;
    report
}

/// Writes the plan part by part; each is a short transaction, so a running worker goes on beside it.
async fn mend(plan: &Plan, folder: &Path, config: &Config, by: &str, written: &mut Repaired) -> Result<(), Failure> {
    let door = Door::open(folder, config).await?;
    let parts = plan.parts();
    let bar = bar(parts.len() as u64);
    bar.set_message("writing");
    let mut result = Ok(());
    for repair in parts {
        match door.ask::<Repaired>(Request::Repair { repair, by: by.to_owned() }).await {
            Ok(part) => {
                written.receipts += part.receipts;
                written.rows += part.rows;
                written.facts_dropped += part.facts_dropped;
                bar.inc(1);
            }
            Err(failure) => {
                result = Err(failure);
                break;
            }
        }
    }
    bar.finish_and_clear();
    door.close().await;
    result
}

fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}

/// What was or would be written.
fn mended(plan: &Plan, args: &RebuildArgs, written: &Repaired) -> String {
    if !args.apply {
        return String::new();
    }
    let said = |receipts: usize, rows: usize, facts: usize| {
        format!(
            "{} read again, {} folded anew, {} taken out",
            output::count(receipts as i128, "receipt"),
            output::count(rows as i128, "row"),
            output::count(facts as i128, "fact")
        )
    };
    let mut text = if args.yes {
        format!("written {}\n", said(written.receipts, written.rows, written.facts_dropped))
    } else {
        let (receipts, rows, facts) = plan.counts();
        format!("would be written  {}; --yes writes it\n", said(receipts, rows, facts))
    };
    if plan.beyond_repair > 0 {
        let receipts = output::count(plan.beyond_repair as i128, "receipt");
        text.push_str(&format!("{receipts} cannot be mended: the body is damaged, or nobody can read it today\n"));
    }
    text
}

fn text(report: &Report) -> String {
    let covered = report.facts + report.uncovered;
    let mut text = format!(
        "rows    {} payments and {} subscriptions are compared with the fold of their facts\n\
         people  {} identities are compared with what all of them together say, and whom {} rows follow\n\
         claims  {} are compared with what receipts say, and methods, sessions and relations with them\n\
         facts   {} of {covered} are compared with what {} receipts say{}\n\
         result  {}\n",
        report.payments,
        report.subscriptions,
        report.identities,
        report.links,
        report.claims,
        report.facts,
        report.receipts,
        if report.unread > 0 {
            format!(" ({} receipts are of accounts not in the configuration)", report.unread)
        } else {
            String::new()
        },
        output::count(report.differences.len() as i128, "difference"),
    );
    if !report.differences.is_empty() {
        let rows = report
            .differences
            .iter()
            .take(SHOWN)
            .map(|one| vec![one.entity.clone(), one.what.clone(), one.stored.clone(), one.recomputed.clone()]);
        text.push('\n');
        text.push_str(&output::table(&["ENTITY", "WHAT", "STORED", "RECOMPUTED"], &[], rows));
        if report.differences.len() > SHOWN {
            text.push_str(&format!("… and {} more; --json shows all\n", report.differences.len() - SHOWN));
        }
    }
    text
}

fn document(report: &Report, args: &RebuildArgs, written: &Repaired) -> Value {
    let differences: Vec<Value> = report
        .differences
        .iter()
        .map(|one| json!({"entity": one.entity, "what": one.what, "stored": one.stored, "recomputed": one.recomputed}))
        .collect();
    json!({
        "receipts": report.receipts, "receipts_unread": report.unread, "payments": report.payments,
        "subscriptions": report.subscriptions, "identities": report.identities, "links": report.links, "claims": report.claims,
        "facts_compared": report.facts, "facts_uncovered": report.uncovered,
        "differences": differences, "beyond_repair": report.plan.beyond_repair,
        "written": if args.yes { json!(written) } else { Value::Null },
    })
}
