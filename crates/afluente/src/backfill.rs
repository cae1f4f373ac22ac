//! `afluente backfill`: what an application beside us knew before we came.

mod report;

use std::time::Duration;

use afluente_model::{Timestamp, chain};
use afluente_store::legacy::Progress;
use afluente_store::{Location, Store};
use afluente_worker::backfill::{Backfill, Kind, PAGE, Tally};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use crate::adopt;
use crate::config::Config;
use crate::exit::Failure;
use report::Taken;

/// Takes in what an application beside us knew before we came: safe beside a running process, at most 500 rows a transaction.
/// What was taken in already changes nothing; one that was stopped or killed goes on where it was. Nothing of theirs is
/// written, and no digit of a card is read
#[derive(Subcommand)]
pub(crate) enum BackfillCommand {
    /// Its payment rows, as the weakest facts there are: what a gateway says of the same matter goes before them. What a row
    /// leaves open is asked at the gateway
    Legacy(BackfillArgs),
    /// Its customers with where they are known, as claims
    Customers(BackfillArgs),
    /// Who is behind its payments and in its checkout sessions, as claims: by address, document and ids
    Links(BackfillArgs),
}

#[derive(Args)]
pub(crate) struct BackfillArgs {
    /// Read and count, and take nothing in
    #[arg(long)]
    dry_run: bool,
    /// At most this many rows; the next time it goes on behind them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only rows made in the last so many days, counted from midnight in UTC
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=36_500))]
    days_back: Option<u32>,
    /// At most this many rows a second
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(command: &BackfillCommand, config: &Config) -> Result<(), Failure> {
    let (args, kinds): (_, &[Kind]) = match command {
        BackfillCommand::Legacy(args) => (args, &[Kind::Payments]),
        BackfillCommand::Customers(args) => (args, &[Kind::Customers]),
        BackfillCommand::Links(args) => (args, &[Kind::Buyers, Kind::Sessions]),
    };
    if matches!(config.ledger, Location::Folder(_)) {
        return Err(Failure::Usage(
            "an application is read in its own database, and this ledger is in a file: name the database in [ledger] url"
                .to_owned(),
        ));
    }
    let store = adopt::beside(Store::open(&config.ledger).await?, config).await?;
    let accounts = config.worker_accounts();
    // The process may never have run with this configuration, and receipts refer to accounts.
    let mut tx = store.begin().await?;
    tx.save_accounts(&accounts.rows(), afluente_worker::now()).await?;
    tx.commit().await?;
    let mut taken = Vec::new();
    for &kind in kinds {
        if !store.reads_legacy(kind.rows()).await? {
            return Err(Failure::Usage(format!(
                "nothing reads {} yet: run `afluente adopt --apply --yes` as a role that may give the rights",
                kind.rows().table()
            )));
        }
        let backfill =
            Backfill { store: &store, accounts: &accounts, sellers: &config.legacy.sellers, is_dry: args.dry_run };
        taken.push(take(&backfill, kind, args, &config.legacy.schema).await?);
    }
    store.close().await;
    report::print(&taken, args.json);
    Ok(())
}

/// Takes one kind in, page by page.
async fn take(backfill: &Backfill<'_>, kind: Kind, args: &BackfillArgs, schema: &str) -> Result<Taken, Failure> {
    let now = afluente_worker::now();
    let since = args.days_back.map(|days| midnight(now, days));
    let store = backfill.store;
    let kept = if args.dry_run { None } else { store.legacy_progress(kind.as_str(), since).await? };
    let (resumed_after, mut progress) =
        (kept.as_ref().map(|kept| kept.taken), kept.unwrap_or(Progress { after: None, taken: 0, started_at: now }));
    let bar = bar(store.legacy_estimated(schema, kind.rows()).await?, progress.taken);
    bar.set_message(kind.as_str());
    let (mut tally, mut rows) = (Tally::default(), 0);
    let started = Instant::now();
    let is_finished = loop {
        let left = args.limit.map_or(u64::from(PAGE), |limit| limit - rows).min(u64::from(PAGE));
        let Ok(size @ 1..) = u32::try_from(left) else { break false };
        let page = store.legacy_page(kind.rows(), progress.after.as_deref(), size, since).await?;
        let Some(last) = page.last() else { break true };
        backfill.take(kind, &page, &mut tally).await.map_err(|postponed| {
            Failure::Unavailable(format!("{}; the same command goes on with this page", chain(&postponed)))
        })?;
        progress.after = Some(last.row_id.clone());
        rows += page.len() as u64;
        progress.taken += i64::try_from(page.len()).unwrap_or(i64::MAX);
        if !args.dry_run {
            store.save_legacy_progress(kind.as_str(), since, &progress, afluente_worker::now(), false).await?;
        }
        bar.set_position(u64::try_from(progress.taken).unwrap_or(0));
        tokio::time::sleep_until(started + Duration::from_secs_f64(rows_as_f64(rows) / f64::from(args.rate))).await;
    };
    if is_finished && !args.dry_run {
        store.save_legacy_progress(kind.as_str(), since, &progress, afluente_worker::now(), true).await?;
    }
    bar.finish_and_clear();
    Ok(Taken { kind, tally, resumed_after, is_finished, is_dry: args.dry_run })
}

/// The beginning of the day so many days before: the same all day, so that what is stopped can go on.
fn midnight(now: Timestamp, days: u32) -> Timestamp {
    const DAY: i64 = 86_400 * 1_000_000;
    now.shifted(-(now.as_micros() % DAY) - i64::from(days) * DAY)
}

/// Exact up to 2⁵³ rows.
#[allow(clippy::cast_precision_loss, reason = "nobody has so many rows")]
fn rows_as_f64(rows: u64) -> f64 {
    rows as f64
}

/// Progress with an estimate of what is left, where the server knows about how many rows there are.
fn bar(estimated: i64, taken: i64) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(estimated.max(taken)).unwrap_or(0));
    bar.set_style(
        ProgressStyle::with_template("{msg} {wide_bar} {pos} of about {len} rows, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_position(u64::try_from(taken).unwrap_or(0));
    bar.reset_eta();
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_back_begin_at_midnight() {
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        let now = at("2026-11-27T13:14:15Z");
        assert_eq!(midnight(now, 0), at("2026-11-27T00:00:00Z"));
        assert_eq!(midnight(now, 30), at("2026-10-28T00:00:00Z"));
    }
}
