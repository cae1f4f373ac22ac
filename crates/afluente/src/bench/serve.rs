//! The server's side of `bench ingress`: a process that says where it listens and serves until its input ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use afluente_gateways::adapter;
use afluente_ingress::{Account, Accounts, Limits, Listener, Receiver};
use afluente_model::Gateway;
use afluente_queue::{BrokerUrl, EmbeddedOptions, Queue, RabbitOptions, SealKey, SealKeys};
use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::apart::READY_WITHIN;
use super::body::BenchAccount;
use super::plain::{self, Keeps};
use crate::exit::Failure;
use crate::{logging, measure, output};

/// Bytes a queue may hold: no run is to fill it.
pub(super) const ROOM: u64 = 8 << 30;

/// Which server.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum What {
    /// Hyper that keeps nothing.
    Bare,
    /// Hyper, an HMAC and a synced append.
    Append,
    /// Hyper, an HMAC and a broker's confirm.
    Confirm,
    /// Ours on the embedded queue.
    Embedded,
    /// Ours on RabbitMQ.
    Rabbit,
}

/// Serves one side of `bench ingress` until its input ends.
#[derive(Args)]
pub(crate) struct ServeArgs {
    #[arg(value_enum)]
    what: What,
    /// Where it keeps what it keeps
    folder: PathBuf,
    /// The broker
    #[arg(long, env = "AMQP_URL", hide_env_values = true, default_value = "")]
    url: String,
    /// What its names on the broker begin with
    #[arg(long, default_value = "")]
    prefix: String,
}

/// Listens, says where, serves, and ends once its input does.
pub(super) async fn run(args: &ServeArgs) -> Result<(), Failure> {
    let account = BenchAccount::new()?;
    let listener = listen().await?;
    let address = listener.local_addr().map_err(|error| Failure::unavailable(&error))?;
    let keeps = match args.what {
        What::Bare => Keeps::Nothing,
        What::Append => Keeps::appended(account.secret, &args.folder)?,
        What::Confirm => Keeps::confirmed(account.secret, &args.url, format!("{}.plain", args.prefix)).await?,
        What::Embedded | What::Rabbit => return ours(args, listener, &account).await,
    };
    let serving = tokio::spawn(plain::serve(listener, keeps));
    output::print(&address.to_string());
    input_ends().await;
    serving.abort();
    Ok(())
}

/// With all that a deployment has on: limits, metrics, logs.
async fn ours(args: &ServeArgs, listener: TcpListener, account: &BenchAccount) -> Result<(), Failure> {
    logging::start(logging::Format::Text, "warn")?;
    let metrics = measure::install()?;
    let upkeep = tokio::spawn(measure::keep_up(metrics, std::future::pending()));
    let address = listener.local_addr().map_err(|error| Failure::unavailable(&error))?;
    let queue = open(args.what, &args.folder, Some((&args.url, &args.prefix))).await?;
    let receiver = receiver(account, queue.clone());
    let ended = async {
        output::print(&address.to_string());
        input_ends().await;
    };
    afluente_ingress::run(Listener::plain(listener), Arc::new(receiver), ended)
        .await
        .map_err(|error| Failure::unavailable(&error))?;
    queue.close().await;
    upkeep.abort();
    Ok(())
}

/// The queue that one of ours keeps in: a file in this folder, or the broker of this URL and prefix with a spool there.
pub(super) async fn open(what: What, folder: &Path, broker: Option<(&str, &str)>) -> Result<Queue, Failure> {
    let embedded = EmbeddedOptions { limit_bytes: ROOM, ..EmbeddedOptions::new(folder) };
    let Some((url, prefix)) = broker.filter(|_| what == What::Rabbit) else {
        return Ok(Queue::open_embedded(embedded)?);
    };
    let url: BrokerUrl = url.parse().map_err(Failure::Usage)?;
    let (prefix, spool) = (prefix.to_owned(), Some(embedded));
    let queue = Queue::open_rabbit(RabbitOptions { prefix, limit_bytes: ROOM, spool, ..RabbitOptions::new(url) })?;
    // From the spool nothing is to be measured. Whoever started this may be gone, and waits no longer either.
    let usable = async {
        while !matches!(queue.health(), Ok(None)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let late = |_| Failure::Unavailable(format!("the broker was not usable within {READY_WITHIN:?}"));
    tokio::time::timeout(READY_WITHIN, usable).await.map_err(late)?;
    Ok(queue)
}

/// A receiver that knows the account of the bench.
pub(super) fn receiver(account: &BenchAccount, queue: Queue) -> Receiver {
    let known = Account::new(adapter(Gateway::Stripe), account.name.clone(), account.credentials());
    let known = Accounts::from_iter([known]);
    // Accounts that nobody changes any more stay.
    let (_, accounts) = watch::channel(Arc::new(known));
    Receiver::new(accounts, queue, keys(), Limits::default(), afluente_ingress::system_clock)
}

/// What the messages of a bench are sealed with.
pub(super) fn keys() -> SealKeys {
    SealKeys::new(SealKey::from_bytes([7; 32]), [])
}

/// A port of its own on loopback.
pub(super) async fn listen() -> Result<TcpListener, Failure> {
    TcpListener::bind("127.0.0.1:0").await.map_err(|error| Failure::unavailable(&error))
}

async fn input_ends() {
    let read = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    // One that breaks off ends as well.
    let _ = tokio::task::spawn_blocking(read).await;
}
