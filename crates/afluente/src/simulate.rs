//! `afluente simulate`: plays Stripe. Real signed requests of realistic payment lives, and forgeries that must be refused.

use std::time::{Duration, Instant};

use afluente_model::{Gateway, Mode};
use afluente_simulate::{Difference, Plan, Post, Sent, Target, Traffic, Truth, check, deliver, play};
use afluente_store::{Location, Store, StoreError};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::config::Config;
use crate::exit::Failure;
use crate::output;

/// Plays Stripe against a running `afluente up`: signed deliveries of realistic payment lives, shuffled, repeated, some
/// forged. What is not acknowledged is sent again, as Stripe would. The end of each kind of life is known beforehand; with
/// --check every final row is compared with it, and every acknowledged event must stand in the ledger once.
#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// How many payments
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    payments: u32,
    /// Deliveries a second; 0 for as fast as possible
    #[arg(long, default_value_t = 0, value_name = "N")]
    rate: u32,
    /// Chooses amounts, currencies, order, repetitions and forgeries
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Makes the ids differ from another run's; with the same seed and name, every delivery is the same byte for byte.
    /// The time by default
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    run: Option<String>,
    /// Deliver in any order
    #[arg(long)]
    shuffle: bool,
    /// The share of deliveries sent twice, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = share)]
    duplicate: f64,
    /// The share of forged requests beside them, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = share)]
    forge: f64,
    /// Compare every final row with how its life is known to end
    #[arg(long)]
    check: bool,
    /// Connections used at once
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=512))]
    connections: u32,
    /// How long to go on with what is not acknowledged, and to wait for the ledger, seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    patience: u64,
    /// Where to post; the configuration's ingress.listen by default
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Whose webhooks to play; its mode must be test
    #[arg(long, default_value = "shop", value_name = "NAME")]
    account: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("expected a share from 0 to 1, got {text:?}"))
}

fn run_name(text: &str) -> Result<String, String> {
    let valid = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if valid { Ok(text.to_owned()) } else { Err(format!("expected 1 to 32 letters and digits, got {text:?}")) }
}

/// When a named run ends: 2025-01-01, the same moment every time, so that the same seed and name play the same bytes.
const NAMED_RUN_ENDS: i64 = 1_735_689_600;

/// A name no earlier run has: the microseconds since 1970.
pub(crate) fn fresh_run() -> String {
    format!("{:x}", afluente_worker::now().as_micros())
}

/// Runs it and reports.
pub(crate) async fn run(args: &SimulateArgs, config: &Config) -> Result<(), Failure> {
    let target = target(args, config)?;
    let (run, until) = args.run.as_ref().map_or_else(
        || (fresh_run(), afluente_worker::now().as_seconds() - 60),
        |name| (format!("{name}s{}", args.seed), NAMED_RUN_ENDS),
    );
    let plan = Plan {
        payments: args.payments as usize,
        seed: args.seed,
        run,
        shuffle: args.shuffle,
        duplicate: args.duplicate,
        forge: args.forge,
        until,
    };
    let Traffic { posts, truth } = play(&plan);
    let sent = send(&target, posts).await?;
    let differences = if args.check { Some(compare(&config.ledger, args, &sent, &truth).await?) } else { None };
    if args.json {
        output::print_json(&document(&sent, differences.as_deref()));
    } else {
        output::print(&text(&sent, truth.len(), differences.as_deref()));
    }
    verdict(&sent, differences.as_deref())
}

/// Sends with a bar that shows how far it is.
pub(crate) async fn send(target: &Target, posts: Vec<Post>) -> Result<Sent, Failure> {
    let bar = ProgressBar::new(posts.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("sending {wide_bar} {pos}/{len} {per_sec}") {
        bar.set_style(style);
    }
    let sent = deliver(target, posts, || bar.inc(1)).await;
    bar.finish_and_clear();
    sent.map_err(|error| Failure::unavailable(&error))
}

fn target(args: &SimulateArgs, config: &Config) -> Result<Target, Failure> {
    let account = config.accounts.iter().find(|one| one.name.as_str() == args.account).ok_or_else(|| {
        let known: Vec<&str> = config.accounts.iter().map(|one| one.name.as_str()).collect();
        Failure::Usage(format!("--account: expected one of {}, got {:?}", known.join(", "), args.account))
    })?;
    if account.mode == Mode::Live {
        return Err(Failure::Usage(format!(
            "account {} is live; simulated payments belong to a test account",
            account.name
        )));
    }
    if account.gateway != Gateway::Stripe {
        return Err(Failure::Usage(format!(
            "--account: expected an account at stripe, which is all that is played, got {} at {}",
            account.name,
            account.gateway.slug()
        )));
    }
    let secret = account.signing_secret()?;
    let base = args.url.clone().unwrap_or_else(|| format!("http://{}", config.ingress_listen()));
    let url = format!("{}/webhooks/{}/{}", base.trim_end_matches('/'), account.gateway.slug(), account.name);
    let url: http::Uri = url
        .parse()
        .map_err(|_| Failure::Usage(format!("--url: expected a URL such as http://127.0.0.1:8420, got {base:?}")))?;
    if url.scheme_str() != Some("http") || url.port_u16() == Some(0) {
        return Err(Failure::Usage(format!(
            "--url: expected http:// and the port `afluente up` printed, got {base:?}"
        )));
    }
    Ok(Target {
        url,
        secret,
        connections: args.connections as usize,
        rate: args.rate,
        patience: Duration::from_secs(args.patience),
        tolerance_seconds: account.credentials.tolerance_seconds,
        clock: afluente_worker::now,
    })
}

/// The ledger, waited for while its server is away. A file that cannot be opened stays so.
async fn opened(ledger: &Location, patience: Duration) -> Result<Store, StoreError> {
    let started = Instant::now();
    loop {
        let opened = Store::open_read_only(ledger).await;
        let away = matches!((&opened, ledger), (Err(StoreError::Open { .. }), Location::Server(_)));
        if !away || started.elapsed() > patience {
            return opened;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn compare(
    ledger: &Location,
    args: &SimulateArgs,
    sent: &Sent,
    truth: &[Truth],
) -> Result<Vec<Difference>, Failure> {
    let patience = Duration::from_secs(args.patience);
    let store = opened(ledger, patience).await?;
    check::settled(&store, &args.account, &sent.acknowledged, patience).await?;
    let differences = check::all(&store, &args.account, &sent.acknowledged, truth).await;
    store.close().await;
    Ok(differences?)
}

fn text(sent: &Sent, payments: usize, differences: Option<&[Difference]>) -> String {
    let mut text = format!(
        "deliveries  {} sent, {} acknowledged, {} sent again after no success, {} given up\n\
         forgeries   {} sent, {} refused, {} believed, {} never answered\n\
         speed       {:.0} requests/s, p50 {:.1} ms, p99 {:.1} ms\n",
        sent.deliveries,
        sent.accepted,
        sent.retried,
        sent.given_up,
        sent.forgeries,
        sent.refused,
        sent.believed,
        sent.unanswered,
        sent.rate(),
        sent.percentile(50),
        sent.percentile(99),
    );
    if let Some(differences) = differences {
        let found = output::count(differences.len() as i128, "difference");
        text.push_str(&format!(
            "check       {payments} payments and {} acknowledged events: {found}\n",
            sent.acknowledged.len()
        ));
        text.push_str(&table(differences));
    }
    text
}

fn document(sent: &Sent, differences: Option<&[Difference]>) -> Value {
    json!({
        "deliveries": sent.deliveries, "acknowledged": sent.accepted, "retried": sent.retried, "given_up": sent.given_up,
        "forgeries": sent.forgeries, "refused": sent.refused, "believed": sent.believed, "unanswered": sent.unanswered,
        "rate": sent.rate(),
        "p50_ms": sent.percentile(50), "p99_ms": sent.percentile(99), "events": sent.acknowledged.len(),
        "differences": differences.map(|all| all.iter().map(difference_json).collect::<Vec<_>>()),
    })
}

fn difference_json(one: &Difference) -> Value {
    json!({"entity": one.entity, "life": one.life, "column": one.column, "expected": one.expected, "found": one.found})
}

/// How many differences a person is shown.
const SHOWN: usize = 40;

/// The differences as a table; nothing for none.
pub(crate) fn table(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let rows = differences.iter().take(SHOWN).map(|one| {
        vec![one.entity.clone(), one.life.to_owned(), one.column.to_owned(), one.expected.clone(), one.found.clone()]
    });
    let mut text = format!("\n{}", output::table(&["ENTITY", "LIFE", "COLUMN", "EXPECTED", "FOUND"], &[], rows));
    if differences.len() > SHOWN {
        text.push_str(&format!("… and {} more; --json shows all\n", differences.len() - SHOWN));
    }
    text
}

fn verdict(sent: &Sent, differences: Option<&[Difference]>) -> Result<(), Failure> {
    if sent.believed > 0 {
        return Err(Failure::Found(format!("{} forged requests were answered with success", sent.believed)));
    }
    if sent.given_up > 0 {
        let why = sent.last_status.map_or_else(
            || "nobody answered; is `afluente up` running?".to_owned(),
            |status| format!("the last answer was {status}; look at the log of `afluente up`"),
        );
        return Err(Failure::Unavailable(format!("{} deliveries were never acknowledged: {why}", sent.given_up)));
    }
    if sent.unanswered > 0 {
        return Err(Failure::Unavailable(format!(
            "{} forged requests were never answered, so nobody knows whether they would be refused",
            sent.unanswered
        )));
    }
    match differences {
        Some(differences) if !differences.is_empty() => Err(Failure::Found(String::new())),
        Some(_) | None => Ok(()),
    }
}
