//! `afluente rebuild --check`: proves the ledger.

use std::path::Path;

use afluente_store::Store;
use afluente_worker::Accounts;
use afluente_worker::rebuild::{Progress, Report, check};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

/// Proves the ledger: every row is the fold of its stored facts, and the facts are what today's adapters read in the
/// receipts still held. Safe beside a running process. Exit code 1 if anything differs.
#[derive(Args)]
pub(crate) struct RebuildArgs {
    /// Compare and report; nothing is written
    #[arg(long, required = true)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How many differences a person is shown.
const SHOWN: usize = 50;

/// Recomputes everything and reports.
pub(crate) async fn run(args: &RebuildArgs, folder: &Path, accounts: &Accounts) -> Result<(), Failure> {
    let store = Store::open_snapshot(folder).await?;
    let total = store.counts().await?;
    let bar = ProgressBar::new(u64::try_from(total.receipts + total.payments).unwrap_or(0));
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    let receipts = u64::try_from(total.receipts).unwrap_or(0);
    let report = check(&store, accounts, |progress| match progress {
        Progress::Receipts(read) => {
            bar.set_message("receipts");
            bar.set_position(read);
        }
        Progress::Rows(compared) => {
            bar.set_message("rows");
            bar.set_position(receipts + compared);
        }
    })
    .await;
    bar.finish_and_clear();
    store.close().await;
    let report = report?;
    if args.json {
        output::print_json(&document(&report));
    } else {
        output::print(&text(&report));
    }
    if report.differences.is_empty() {
        Ok(())
    } else {
        Err(Failure::Found(format!("{} found", output::count(report.differences.len() as i128, "difference"))))
    }
}

fn text(report: &Report) -> String {
    let covered = report.facts + report.uncovered;
    let mut text = format!(
        "rows    {} payments and {} subscriptions are compared with the fold of their facts\n\
         facts   {} of {covered} are compared with what {} receipts say{}\n\
         result  {}\n",
        report.payments,
        report.subscriptions,
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

fn document(report: &Report) -> Value {
    let differences: Vec<Value> = report
        .differences
        .iter()
        .map(|one| json!({"entity": one.entity, "what": one.what, "stored": one.stored, "recomputed": one.recomputed}))
        .collect();
    json!({
        "receipts": report.receipts, "receipts_unread": report.unread, "payments": report.payments,
        "subscriptions": report.subscriptions, "facts_compared": report.facts, "facts_uncovered": report.uncovered,
        "differences": differences,
    })
}
