//! `afluente torture`: everything is killed, again and again, and nothing may be missing afterwards.

mod gauge;
mod killer;
mod rate;
mod site;
mod watcher;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use afluente_gateways::Secret;
use afluente_model::Gateway;
use afluente_simulate::{Acknowledged, Checks, Plan, Sent, Target, Traffic, Truth, check, deliver, play};
use afluente_store::Store;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::sync::{Mutex, watch};

use crate::config;
use crate::exit::Failure;
use crate::output;
use crate::services::Services;
use crate::up::stop_signal;
use gauge::{Seen, Watched};
use killer::{Cast, Kill, VICTIMS};
use rate::Regained;
use site::{ACCOUNT, Role, SECRET};

/// How long the ledger may take to have everything, once nobody kills any more.
const SETTLED_WITHIN: Duration = Duration::from_secs(300);
/// Payments of one portion of the load.
const PORTION: usize = 60;
/// How long a delivery is sent again before it is given up: longer than anybody stays dead.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts a private RabbitMQ and Postgres, two ingress and two workers, plays payments at them, and kills each of the six
/// at random, again and again. Exit code 1 unless nothing acknowledged is lost, nothing doubled, and the ledger is what its
/// facts and receipts say. To be run from a checkout of the project.
#[derive(Args)]
pub(crate) struct TortureArgs {
    /// How long
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_440))]
    minutes: u32,
    /// Deliveries a second
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    rate: u32,
    /// Seconds without a kill before each, to see how fast it goes on after one
    #[arg(long, default_value_t = 0, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=3_600))]
    calm: u32,
    /// Of whom is killed when, and of what is played
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Keep folders and logs
    #[arg(long)]
    keep: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs it and reports.
pub(crate) async fn run(args: &TortureArgs) -> Result<(), Failure> {
    let folder =
        tempfile::Builder::new().prefix("afluente-torture-").tempdir().map_err(|error| Failure::unavailable(&error))?;
    let services = Arc::new(Services::start(folder.path()).await?);
    let mut roles = Vec::new();
    for (name, role) in
        [("ingress-1", "ingress"), ("ingress-2", "ingress"), ("worker-1", "worker"), ("worker-2", "worker")]
    {
        let mut role = Role::new(role, folder.path().join(name), &services)?;
        role.start()?;
        roles.push(role);
    }
    let admins: Vec<_> = roles.iter().map(|role| role.admin).collect();
    let targets = [target(&roles[0], args.rate / 2)?, target(&roles[1], args.rate / 2)?];
    let config = config::load(roles[0].folder())?;
    let logs: Vec<_> = roles.iter().map(Role::log).collect();
    let cast: Cast = match <[Role; 4]>::try_from(roles) {
        Ok(roles) => Arc::new(roles.map(Mutex::new)),
        Err(_) => return Err(Failure::Unavailable("there are not four roles".to_owned())),
    };
    let started = ready(&admins).await;
    let told = match started {
        Ok(()) => tokio::select! {
            told = torture(args, folder.path(), &services, &cast, &admins, &targets, &config) => told,
            // Whoever stops it early leaves no servers behind.
            stopped = stop_signal() => Err(stopped.err().unwrap_or_else(|| Failure::Unavailable("it was stopped".to_owned()))),
        },
        Err(failure) => Err(failure),
    };
    for role in cast.iter() {
        role.lock().await.kill().await;
    }
    let kept = args.keep || !told.as_ref().is_ok_and(Told::is_clean);
    if kept {
        let logs: Vec<String> = logs.iter().map(|log| log.display().to_string()).collect();
        output::note(&format!("logs are kept: {}", logs.join(" ")));
        let _ = folder.keep();
    }
    let told = told?;
    if args.json {
        output::print_json(&told.json(args.seed));
    } else {
        output::print(&told.text());
    }
    if told.is_clean() { Ok(()) } else { Err(Failure::Found("something was lost, doubled or differs".to_owned())) }
}

/// What came of it.
#[derive(Debug, Default)]
struct Told {
    sent: u64,
    acknowledged: u64,
    events: usize,
    lost: usize,
    doubled: usize,
    /// Payments that do not end as they are known to.
    untrue: usize,
    /// Differences `rebuild --check` found.
    rebuilt: usize,
    /// Deliveries never acknowledged, and forgeries that were.
    unanswered: u64,
    kills: Vec<Kill>,
    /// Processes that ended though nobody killed them.
    ended: u32,
    not_ready: Vec<Duration>,
    seen: Seen,
    settled_after: Duration,
}

/// Plays and kills for as long as asked, lets everything settle, and compares.
async fn torture(
    args: &TortureArgs,
    folder: &Path,
    services: &Arc<Services>,
    cast: &Cast,
    admins: &[std::net::SocketAddr],
    targets: &[Target; 2],
    config: &config::Config,
) -> Result<Told, Failure> {
    let stop = watch::channel(false).0;
    let watchers: Vec<_> =
        admins.iter().map(|admin| tokio::spawn(watcher::longest_not_ready(*admin, stop.subscribe()))).collect();
    let answered = Arc::new(AtomicU64::new(0));
    let watched = Watched {
        cast: Arc::clone(cast),
        admins: admins.to_vec(),
        folder: folder.to_owned(),
        ledger: config.ledger.clone(),
        answered: Arc::clone(&answered),
    };
    let watching = tokio::spawn(gauge::watch(watched, stop.subscribe()));
    let pace = (args.seed, Duration::from_secs(u64::from(args.calm)));
    let killing = tokio::spawn(killer::run(pace, Arc::clone(services), Arc::clone(cast), stop.subscribe()));
    let supervising = tokio::spawn(killer::supervise(Arc::clone(cast), stop.subscribe()));
    let played = load(args, targets, &answered).await?;
    stop.send_replace(true);
    let joined = |error: tokio::task::JoinError| Failure::Unavailable(format!("a task ended: {error}"));
    let mut told =
        Told { kills: killing.await.map_err(joined)??, ended: supervising.await.map_err(joined)??, ..Told::default() };
    told.seen = watching.await.map_err(joined)?;
    for watcher in watchers {
        told.not_ready.push(watcher.await.map_err(joined)?);
    }
    for service in ["postgres", "rabbitmq"] {
        services.tell(&["again", service]).await?;
    }
    ready(admins).await?;
    compare(&mut told, &played, config).await?;
    Ok(told)
}

/// What was played and what was acknowledged of it.
#[derive(Default)]
struct Played {
    sent: u64,
    acknowledged: u64,
    unanswered: u64,
    events: Acknowledged,
    truth: Vec<Truth>,
}

/// Portions of payments, half to each ingress, until the time is over.
async fn load(args: &TortureArgs, targets: &[Target; 2], answered: &AtomicU64) -> Result<Played, Failure> {
    let length = Duration::from_secs(u64::from(args.minutes) * 60);
    let bar = ProgressBar::new(length.as_secs());
    if let Ok(style) = ProgressStyle::with_template("torturing {wide_bar} {elapsed_precise} {msg}") {
        bar.set_style(style);
    }
    let (started, mut played) = (Instant::now(), Played::default());
    for portion in 0.. {
        if started.elapsed() >= length {
            break;
        }
        bar.set_position(started.elapsed().as_secs());
        bar.set_message(format!("{} acknowledged", played.acknowledged));
        let plan = Plan {
            gateway: Gateway::Stripe,
            profile: "",
            payments: PORTION,
            seed: args.seed.wrapping_add(portion),
            run: format!("t{}p{portion}", args.seed),
            seller: None,
            checks: Checks::SECRET,
            api: "v1",
            shuffle: true,
            duplicate: 0.2,
            times: 1,
            forge: 0.02,
            until: afluente_worker::now().as_seconds() - 60,
        };
        let Traffic { mut posts, truth, .. } = play(&plan).map_err(|error| Failure::unavailable(&error))?;
        let second = posts.split_off(posts.len() / 2);
        let ended = || {
            answered.fetch_add(1, Ordering::Relaxed);
        };
        let (one, two) = tokio::join!(deliver(&targets[0], posts, ended), deliver(&targets[1], second, ended));
        for sent in [one, two] {
            played.add(sent.map_err(|error| Failure::unavailable(&error))?);
        }
        played.truth.extend(truth);
    }
    bar.finish_and_clear();
    Ok(played)
}

impl Played {
    fn add(&mut self, sent: Sent) {
        self.sent += sent.deliveries;
        self.acknowledged += sent.accepted;
        self.unanswered += sent.given_up + sent.believed();
        self.events.extend(sent.acknowledged);
    }
}

async fn compare(told: &mut Told, played: &Played, config: &config::Config) -> Result<(), Failure> {
    let started = Instant::now();
    let store = Store::open_read_only(&config.ledger).await?;
    check::settled(&store, ACCOUNT, &played.events, SETTLED_WITHIN).await?;
    told.settled_after = started.elapsed();
    let receipts: BTreeMap<String, i64> = store.receipts_of_events(ACCOUNT).await?.into_iter().collect();
    told.lost = played.events.iter().filter(|(event, _)| !receipts.contains_key(*event)).count();
    told.doubled = receipts.values().filter(|count| **count > 1).count();
    told.untrue = check::all(&store, Gateway::Stripe, ACCOUNT, &Acknowledged::new(), &played.truth).await?.len();
    store.close().await;
    let snapshot = Store::open_snapshot(&config.ledger).await?;
    told.rebuilt =
        afluente_worker::rebuild::check(&snapshot, &config.worker_accounts(), |_| {}).await?.differences.len();
    snapshot.close().await;
    (told.sent, told.acknowledged, told.events) = (played.sent, played.acknowledged, played.events.len());
    told.unanswered = played.unanswered;
    Ok(())
}

fn target(role: &Role, rate: u32) -> Result<Target, Failure> {
    let secret = Secret::new(SECRET).map_err(|_| Failure::Unavailable("the secret is none".to_owned()))?;
    let url = format!("http://{}/webhooks/stripe/{ACCOUNT}", role.ingress);
    let url = url.parse().map_err(|_| Failure::Unavailable(format!("{url} is no URL")))?;
    Ok(Target {
        gateway: Gateway::Stripe,
        profile: "",
        url,
        secret: Some(secret),
        login: None,
        token: None,
        api: None,
        connections: 16,
        rate,
        patience: PATIENCE,
        tolerance_seconds: 300,
        clock: afluente_worker::now,
    })
}

/// Waits until every role is ready.
async fn ready(admins: &[std::net::SocketAddr]) -> Result<(), Failure> {
    let started = Instant::now();
    for admin in admins {
        while !watcher::is_ready(*admin).await {
            if started.elapsed() > Duration::from_secs(90) {
                return Err(Failure::Unavailable(format!(
                    "nobody is ready at http://{admin}/readyz; look at the logs"
                )));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

impl Told {
    fn is_clean(&self) -> bool {
        self.lost + self.doubled + self.untrue + self.rebuilt == 0 && self.unanswered == 0 && self.acknowledged > 0
    }

    fn text(&self) -> String {
        let seconds = |time: &Duration| format!("{:.1} s", time.as_secs_f64());
        let mut rows = vec![
            ("deliveries sent", self.sent.to_string()),
            ("acknowledged", self.acknowledged.to_string()),
            ("given up, or forged and believed", self.unanswered.to_string()),
            ("events acknowledged", self.events.to_string()),
            ("in the ledger", (self.events - self.lost).to_string()),
            ("lost", self.lost.to_string()),
            ("doubled", self.doubled.to_string()),
            ("payments that do not end as they should", self.untrue.to_string()),
            ("differences of rebuild --check", self.rebuilt.to_string()),
            ("settled after the last kill", seconds(&self.settled_after)),
            ("ended by themselves", self.ended.to_string()),
        ];
        rows.extend(killer::counts(&self.kills).into_iter().map(|(victim, kills)| (victim, format!("{kills} kills"))));
        let not_ready = VICTIMS.iter().zip(&self.not_ready);
        let longest: Vec<String> = not_ready.map(|(role, time)| format!("{role} {}", seconds(time))).collect();
        rows.push(("longest time not ready", longest.join(", ")));
        let rows = rows.into_iter().map(|(name, value)| (name.to_owned(), value));
        let regained = VICTIMS.iter().map(|victim| {
            let text = format!("{}; {}", self.answered_after(victim).text(), self.handled_after(victim).text());
            (format!("answered; handled after ÷ before {victim}"), text)
        });
        let rows = rows.chain(regained).chain(self.seen.rows());
        output::table(&["", ""], &[], rows.map(|(name, value)| vec![name, value]))
    }

    fn answered_after(&self, victim: &str) -> Regained {
        Regained::of(&self.seen.answered, self.faults(victim))
    }

    fn handled_after(&self, victim: &str) -> Regained {
        Regained::of(&self.seen.handled, self.faults(victim))
    }

    /// The seconds in which somebody was killed.
    fn faults(&self, victim: &str) -> impl Iterator<Item = usize> {
        let kills = self.kills.iter().filter(move |kill| kill.victim == victim);
        kills.filter_map(|kill| usize::try_from(kill.after.as_secs()).ok())
    }

    fn json(&self, seed: u64) -> serde_json::Value {
        let longest: BTreeMap<_, _> =
            VICTIMS.iter().zip(&self.not_ready).map(|(role, time)| (*role, time.as_secs_f64())).collect();
        let regained = |of: &dyn Fn(&str) -> Regained| -> BTreeMap<&str, serde_json::Value> {
            VICTIMS.iter().map(|victim| (*victim, of(victim).json())).collect()
        };
        json!({
            "answered_after_over_before": regained(&|victim| self.answered_after(victim)),
            "handled_after_over_before": regained(&|victim| self.handled_after(victim)),
            "held_bytes": self.seen.json(),
            "seed": seed, "sent": self.sent, "acknowledged": self.acknowledged, "unanswered": self.unanswered,
            "events": self.events, "in_the_ledger": self.events - self.lost, "lost": self.lost, "doubled": self.doubled,
            "untrue_payments": self.untrue, "rebuild_differences": self.rebuilt, "kills": killer::counts(&self.kills), "ended": self.ended,
            "settled_after_seconds": self.settled_after.as_secs_f64(), "longest_not_ready_seconds": longest,
        })
    }
}
