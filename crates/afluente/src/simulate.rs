//! `afluente simulate`: plays a gateway. Real signed requests of realistic payment lives, and forgeries that must be refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_model::Gateway;
use afluente_simulate::{
    Api, Checks, Difference, Phase, Plan, Post, Sent, Tally, Target, Traffic, Truth, check, deliver, play,
};
use afluente_store::{Location, Store, StoreError};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::AccountConfig;
use crate::config::Config;
use crate::exit::Failure;
use crate::output;

mod asked;
mod every;
mod report;
mod target;

pub(crate) use every::{OfAccount, played as every_account, text as told_of_all};
use report::Told;

/// Plays a gateway against a running `afluente up`: proved deliveries of realistic payment lives, shuffled, repeated, some
/// forged. What is not acknowledged is sent again, as the gateway would. The end of each kind of life is known beforehand;
/// with --check every final row is compared with it, and every acknowledged event must stand in the ledger once.
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
    /// How often everything is sent, so that one payment has a flood of notices
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    times: u32,
    /// The share of forged requests beside them, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = share)]
    forge: f64,
    /// Compare every final row with how its life is known to end
    #[arg(long)]
    check: bool,
    /// Connections used at once
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=512))]
    connections: u32,
    /// What the gateway's API goes through before it is well, where what is posted is read back: down=SECONDS,
    /// limited=CALLS, absent=CALLS or failing=CALLS, separated by commas
    #[arg(long, value_name = "PHASES", value_delimiter = ',')]
    api: Vec<Phase>,
    /// The share of calls to the gateway's API that meet trouble: 401, 404, 429, 500, 503, late, cut or no JSON
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = share)]
    trouble: f64,
    /// How long the gateway's public keys are not shown, seconds, where it signs with such
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    keys_away: u64,
    /// How long to go on with what is not acknowledged, and to wait for the ledger, seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    patience: u64,
    /// Where to post; the configuration's ingress.listen by default
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Which gateway to play; the account's, or stripe
    #[arg(long, value_name = "GATEWAY", value_parser = gateway)]
    gateway: Option<Gateway>,
    /// Play all at once: every test account of the configuration gets its share of the payments
    #[arg(long, value_name = "all", value_parser = ["all"], conflicts_with_all = ["gateway", "account"])]
    gateways: Option<String>,
    /// Whose webhooks to play; its mode must be test. The only one at the gateway by default
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl SimulateArgs {
    /// What a demonstration plays.
    pub(crate) fn of_demo(payments: u32) -> SimulateArgs {
        SimulateArgs {
            payments,
            rate: 0,
            seed: 1,
            run: None,
            shuffle: true,
            duplicate: 0.3,
            times: 1,
            forge: 0.05,
            check: true,
            connections: 16,
            api: Vec::new(),
            trouble: 0.0,
            keys_away: 0,
            patience: 120,
            url: None,
            gateway: None,
            gateways: None,
            account: None,
            json: false,
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("expected a share from 0 to 1, got {text:?}"))
}

fn gateway(text: &str) -> Result<Gateway, String> {
    let slugs = || Gateway::ALL.iter().map(|gateway| gateway.slug()).collect::<Vec<_>>().join(", ");
    Gateway::named(text).ok_or_else(|| format!("expected one of {}, got {text:?}", slugs()))
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
    if args.gateways.is_some() {
        return every::run(args, config).await;
    }
    let playing = Playing::begin(args, target::account(args, config)?, config, args.payments as usize).await?;
    let bar = bar(playing.posts.len());
    let told = playing.end(args, &config.ledger, &bar).await?;
    bar.finish_and_clear();
    if args.json {
        output::print_json(&told.document());
    } else {
        output::print(&told.text());
    }
    told.verdict()
}

/// One account whose gateway is played.
struct Playing<'a> {
    account: &'a AccountConfig,
    target: Target,
    posts: Vec<Post>,
    truth: Vec<Truth>,
}

impl<'a> Playing<'a> {
    /// Plays, and shows what there is to be asked for.
    async fn begin(
        args: &SimulateArgs,
        account: &'a AccountConfig,
        config: &Config,
        payments: usize,
    ) -> Result<Playing<'a>, Failure> {
        let mut target = target::target(args, account, config)?;
        let plan = plan(args, account, &target, payments);
        let Traffic { posts, truth, objects } =
            play(&plan).map_err(|error| Failure::Usage(format!("account {}: {error}", account.name)))?;
        if !objects.is_empty() {
            let api = asked::serve(args, account, objects).await?;
            if args.keys_away == 0 {
                asked::keys(&api, account).await;
            }
            target.api = Some(Arc::new(api));
        }
        Ok(Playing { account, target, posts, truth })
    }

    /// Sends, and compares where that is asked for.
    async fn end(self, args: &SimulateArgs, ledger: &Location, bar: &ProgressBar) -> Result<Told, Failure> {
        let Playing { account, mut target, posts, truth } = self;
        let sent = deliver(&target, posts, || bar.inc(1)).await.map_err(|error| Failure::unavailable(&error))?;
        let differences = if args.check {
            Some(compare(ledger, args, account, &sent, &truth, target.api.is_some()).await?)
        } else {
            None
        };
        Ok(Told { sent, asked: quiet(args, target.api.take()).await, truth, differences })
    }
}

fn plan(args: &SimulateArgs, account: &AccountConfig, target: &Target, payments: usize) -> Plan {
    let (run, until) = args.run.as_ref().map_or_else(
        || (fresh_run(), afluente_worker::now().as_seconds() - 60),
        |name| (format!("{name}s{}", args.seed), NAMED_RUN_ENDS),
    );
    Plan {
        gateway: account.gateway,
        profile: account.adapter.profile().name,
        seller: account.external_id.as_ref().map(ToString::to_string),
        checks: Checks {
            secret: target.secret.is_some(),
            token: target.token.is_some(),
            login: target.login.is_some(),
            keys: account.keys_at.is_some(),
            certificate: account.credentials.authorities().is_some(),
        },
        api: account.access.as_ref().map_or("", |access| access.api.name),
        payments,
        seed: args.seed,
        run,
        shuffle: args.shuffle,
        duplicate: args.duplicate,
        times: args.times,
        forge: args.forge,
        until,
    }
}

/// How far sending is.
fn bar(posts: usize) -> ProgressBar {
    let bar = ProgressBar::new(posts as u64);
    if let Ok(style) = ProgressStyle::with_template("sending {wide_bar} {pos}/{len} {per_sec}") {
        bar.set_style(style);
    }
    bar
}

/// Lets the API answer what is still asked, and stops it.
async fn quiet(args: &SimulateArgs, api: Option<Arc<Api>>) -> Option<Tally> {
    // Whoever sent has let go of it by now.
    let api = Arc::into_inner(api?)?;
    if !args.check {
        let patience = Duration::from_secs(args.patience);
        let _ = tokio::time::timeout(patience, api.quiet(asked::QUIET)).await;
    }
    Some(api.stop().await)
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
    account: &AccountConfig,
    sent: &Sent,
    truth: &[Truth],
    is_asked: bool,
) -> Result<Vec<Difference>, Failure> {
    let patience = Duration::from_secs(args.patience);
    let store = opened(ledger, patience).await?;
    let name = account.name.as_str();
    check::settled(&store, name, &sent.acknowledged, patience).await?;
    let open = if is_asked { asked::answered(&store, account.gateway, name, patience).await? } else { 0 };
    let differences = check::all(&store, account.gateway, name, &sent.acknowledged, truth).await;
    store.close().await;
    let mut differences = differences?;
    if open > 0 {
        differences.push(unanswered(open));
    }
    Ok(differences)
}

/// Questions nobody answered: what they would have told is not known to be in the ledger.
fn unanswered(open: usize) -> Difference {
    Difference {
        entity: "questions".to_owned(),
        life: "-",
        column: "open",
        expected: "0".to_owned(),
        found: open.to_string(),
    }
}
