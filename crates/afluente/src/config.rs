//! The configuration: one file, environment overrides, secrets by reference. Every problem is found at once.

mod account;
pub(crate) mod agree;
mod beside;
mod edge;
pub(crate) mod file;
pub(crate) mod ledger;
mod private;
pub(crate) mod queue;
mod seal;
mod section;
mod url;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use afluente_gateways::Authorities;
use afluente_ingress::Limits;
use afluente_lookup::PublicKeys;
use afluente_queue::{EmbeddedOptions, Queue, RabbitOptions, SealKeys};
use afluente_store::Location;
use clap::Args;
use serde_json::{Value, json};

use crate::deep;
use crate::exit::Failure;
use crate::logging::Format;
use crate::output;
pub(crate) use account::AccountConfig;
pub(crate) use beside::{LegacyConfig, Written};
pub(crate) use edge::{Edge, Secured};
pub(crate) use queue::QueueConfig;
pub(crate) use seal::are_named as names_seal_keys;
use section::{Reader, Section};

/// The configuration's name inside a data folder.
pub(crate) const FILE: &str = "afluente.toml";
/// The sealing key's name inside a data folder.
pub(crate) const SEAL_KEY_FILE: &str = "seal.key";

/// Everything a process needs to know, ready to use.
#[derive(Debug)]
pub(crate) struct Config {
    /// How requests come in.
    pub(crate) edge: Edge,
    admin_listen: SocketAddr,
    /// Where deliveries wait.
    pub(crate) queue: QueueConfig,
    /// Where the ledger is.
    pub(crate) ledger: Location,
    /// For whom customers are written.
    pub(crate) customers: Written,
    /// The application beside it.
    pub(crate) legacy: LegacyConfig,
    batch_size: usize,
    linger: Duration,
    workers: usize,
    /// How log lines are written.
    pub(crate) log_format: Format,
    /// Which log lines are written.
    pub(crate) log_level: String,
    /// The accounts.
    pub(crate) accounts: Vec<AccountConfig>,
    seal_keys: Option<SealKeys>,
    /// The files secrets are read from.
    pub(crate) files: Vec<PathBuf>,
    /// What is allowed and worth knowing.
    pub(crate) notes: Vec<String>,
}

/// One problem of a configuration, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Counted from one; `None` where it is about no line, such as a missing file.
    pub(crate) line: Option<usize>,
    /// What was expected, what came, what to do.
    pub(crate) text: String,
}

/// Every problem of one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problems {
    /// The file.
    pub(crate) file: PathBuf,
    /// In the order of their lines.
    pub(crate) problems: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let end = if index + 1 < self.problems.len() { "\n" } else { "" };
            match problem.line {
                Some(line) => write!(f, "{}:{line}: {}{end}", self.file.display(), problem.text)?,
                None => write!(f, "{}: {}{end}", self.file.display(), problem.text)?,
            }
        }
        Ok(())
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Failure {
        Failure::Usage(format!(
            "the configuration has {}\n{problems}",
            output::count(problems.problems.len() as i128, "problem")
        ))
    }
}

/// Reads the configuration of a data folder, with the environment's overrides.
pub(crate) fn load(folder: &Path) -> Result<Config, Problems> {
    let file = folder.join(FILE);
    let alone = |text: String| Problems { file: file.clone(), problems: vec![Problem { line: None, text }] };
    let text = std::fs::read_to_string(&file)
        .map_err(|error| alone(format!("cannot be read: {error}; `afluente init` writes one where there is none")))?;
    let variables = |name: &str| std::env::var(name).ok();
    parse(folder, &text, &variables).map_err(|problems| Problems { file, problems })
}

/// The same from a text and given variables.
pub(crate) fn parse(
    folder: &Path,
    text: &str,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Vec<Problem>> {
    let document = toml_edit::Document::parse(text).map_err(|error| {
        let line = error.span().map(|span| section::line_of(text, span.start));
        vec![Problem { line, text: format!("is not TOML: {}", error.message()) }]
    })?;
    let mut reader = Reader::new(text, folder, variables);
    let mut root = Section::root(document.as_table());
    let edge = edge::read(&mut reader, &mut root);
    let admin_listen = admin(&mut reader, &mut root, &edge);
    let (mut queue, mut worker, mut log) =
        (root.section(&mut reader, "queue"), root.section(&mut reader, "worker"), root.section(&mut reader, "log"));
    let ledger = ledger::read(&mut reader, &mut root, folder);
    let customers = beside::customers(&mut reader, &mut root);
    let legacy = beside::legacy(&mut reader, &mut root, &ledger);
    let workers = workers(&mut reader, &mut worker, &ledger);
    let batch_size = usize::try_from(worker.number(&mut reader, "batch_size", 256, 1..=2_000)).unwrap_or(256);
    let fit = queue::Fit { batch_size, publish: edge.limits.publish };
    let config = Config {
        edge,
        admin_listen,
        queue: queue::read(&mut reader, &mut queue, &fit),
        batch_size: fit.batch_size,
        linger: worker.millis(&mut reader, "linger_ms", 0, 0..=1_000),
        workers,
        ledger,
        customers,
        legacy,
        log_format: log.word(
            &mut reader,
            "format",
            Some("AFLUENTE_LOG_FORMAT"),
            &[("text", Format::Text), ("json", Format::Json)],
        ),
        log_level: level(&mut reader, &mut log),
        accounts: account::read_all(&mut reader, &mut root),
        seal_keys: seal::read(&mut reader, &mut queue),
        files: Vec::new(),
        notes: Vec::new(),
    };
    for section in [queue, worker, log, root] {
        section.finish(&mut reader);
    }
    for secured in &config.edge.tls {
        if let Err(error) = secured.settings(config.authorities()) {
            reader.problem(secured.place, format!("ingress.{}: {error}", secured.name));
        }
    }
    reader.done(config)
}

fn admin(reader: &mut Reader<'_>, root: &mut Section<'_>, edge: &Edge) -> SocketAddr {
    let mut section = root.section(reader, "admin");
    let listen = section.address(reader, "listen", Some("AFLUENTE_ADMIN_LISTEN"), "127.0.0.1:8421");
    let others = edge.tls.iter().map(|secured| secured.listen).chain([edge.listen]);
    if others.clone().any(|other| other == listen && listen.port() != 0) {
        let text = format!("admin.listen: expected another address than ingress.listen, got {listen} for both");
        reader.problem(section.place("listen"), text);
    }
    for (name, address) in [("ingress.listen", edge.listen), ("admin.listen", listen)] {
        if !address.ip().is_loopback() {
            reader.note(format!(
                "{name} is {address}, which other machines can reach; TLS is left to what stands in front"
            ));
        }
    }
    section.finish(reader);
    listen
}

/// How many workers: a file has one writer, a server many.
fn workers(reader: &mut Reader<'_>, section: &mut Section<'_>, ledger: &Location) -> usize {
    let workers = section.number(reader, "workers", 1, 1..=16);
    if workers > 1 && matches!(ledger, Location::Folder(_)) {
        let name = section.name("workers");
        let text =
            format!("{name}: expected 1 for a ledger in a file, which has one writer, got {workers}; see [ledger] url");
        reader.problem(section.place("workers"), text);
    }
    usize::try_from(workers).unwrap_or(1)
}

fn level(reader: &mut Reader<'_>, section: &mut Section<'_>) -> String {
    let level = section.text(reader, "level", Some("AFLUENTE_LOG")).unwrap_or_else(|| "info".to_owned());
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&level) {
        let (place, name) = section.origin(reader, "level", "AFLUENTE_LOG");
        reader.problem(place, format!("{name}: expected a level such as info, or a filter, got {level:?}: {error}"));
    }
    level
}

impl Config {
    /// Where webhooks are posted.
    pub(crate) fn ingress_listen(&self) -> SocketAddr {
        self.edge.listen
    }

    /// Where health and metrics are read.
    pub(crate) fn admin_listen(&self) -> SocketAddr {
        self.admin_listen
    }

    /// Who vouches for client certificates of any account.
    pub(crate) fn authorities(&self) -> impl Iterator<Item = &Authorities> {
        self.accounts.iter().filter_map(|account| account.credentials.authorities())
    }

    /// The bounds of the webhook listener.
    pub(crate) fn limits(&self) -> Limits {
        self.edge.limits.clone()
    }

    /// Opens the queue: takes its file, or begins to connect to its broker, with a spool in the folder where webhooks are
    /// received.
    pub(crate) fn open_queue(&self, folder: &Path, receives: bool) -> Result<Queue, Failure> {
        Ok(match &self.queue {
            QueueConfig::Embedded { limit_bytes } => {
                Queue::open_embedded(EmbeddedOptions { limit_bytes: *limit_bytes, ..EmbeddedOptions::new(folder) })?
            }
            QueueConfig::Broker { options, spool_limit_bytes, .. } => {
                let folder = folder.join(queue::SPOOL_FOLDER);
                let spool = EmbeddedOptions { limit_bytes: *spool_limit_bytes, ..EmbeddedOptions::new(&folder) };
                Queue::open_rabbit(RabbitOptions { spool: receives.then_some(spool), ..options.as_ref().clone() })?
            }
        })
    }

    /// Whether the queue is in the data folder, so that one process has both ends of it.
    pub(crate) fn has_embedded_queue(&self) -> bool {
        matches!(self.queue, QueueConfig::Embedded { .. })
    }

    /// At most this many deliveries a transaction.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// How long a batch waits to fill.
    pub(crate) fn linger(&self) -> Duration {
        self.linger
    }

    /// How many workers take from the queue.
    pub(crate) fn workers(&self) -> usize {
        self.workers
    }

    /// What seals messages and opens their seals.
    pub(crate) fn seal_keys(&self) -> Result<SealKeys, Failure> {
        let missing = || Failure::Unavailable(format!("{SEAL_KEY_FILE} is not there yet; `afluente up` makes it"));
        self.seal_keys.clone().ok_or_else(missing)
    }

    /// The accounts as ingress sees them.
    pub(crate) fn ingress_accounts(&self, keys: &PublicKeys) -> afluente_ingress::Accounts {
        self.accounts.iter().map(|account| account.for_ingress(keys)).collect()
    }

    /// The accounts as the worker sees them.
    pub(crate) fn worker_accounts(&self) -> afluente_worker::Accounts {
        afluente_worker::Accounts(self.accounts.iter().map(|one| (one.name.clone(), one.for_worker())).collect())
    }

    /// The accounts that may ask their gateways.
    pub(crate) fn lookup_accounts(&self, keys: &PublicKeys) -> afluente_lookup::Accounts {
        let asking = self.accounts.iter().filter_map(|one| Some((one.name.clone(), one.for_lookup(keys)?)));
        afluente_lookup::Accounts(asking.collect())
    }

    /// The same configuration listening on free ports.
    #[cfg(test)]
    pub(crate) fn on_free_ports(mut self) -> Config {
        self.edge.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        self.admin_listen = SocketAddr::from(([127, 0, 0, 1], 0));
        self
    }
}

/// Reads the configuration and reports every problem at once, each with its line, and what the ledger beside it would
/// refuse. Starts nothing.
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// Read every byte of queue, spool and ledger as well, also beside the process that holds them: structure of the files, seals of
    /// messages, bodies of receipts, rows against what receipts say. Exit code 1 if anything is damaged
    #[arg(long)]
    deep: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the accounts, or the problems and exit code 2.
pub(crate) async fn check(args: &CheckArgs, folder: &Path) -> Result<(), Failure> {
    match load(folder) {
        Ok(config) => {
            agree::agree_if_there(folder, &config).await?;
            if args.deep {
                return deep::run(&config, folder, args.json).await;
            }
            print(&config, folder, args.json);
            Ok(())
        }
        Err(problems) if args.json => {
            let list: Vec<Value> = problems
                .problems
                .iter()
                .map(|problem| json!({"line": problem.line, "problem": problem.text}))
                .collect();
            output::print_json(&json!({"file": problems.file.display().to_string(), "problems": list}));
            Err(Failure::Usage(String::new()))
        }
        Err(problems) => Err(problems.into()),
    }
}

fn print(config: &Config, folder: &Path, as_json: bool) {
    if as_json {
        let accounts: Vec<Value> = config.accounts.iter().map(AccountConfig::json).collect();
        output::print_json(
            &json!({"file": folder.join(FILE).display().to_string(), "problems": [], "accounts": accounts, "notes": config.notes}),
        );
        return;
    }
    let rows = config.accounts.iter().map(|one| {
        vec![
            one.name.to_string(),
            one.gateway.slug().to_owned(),
            one.mode.to_string(),
            one.merchant.to_string(),
            one.path(),
            one.secret_names().join(" "),
            one.access.as_ref().map_or_else(|| "-".to_owned(), |access| access.base.to_string()),
        ]
    });
    let table = output::table(&["ACCOUNT", "GATEWAY", "MODE", "MERCHANT", "PATH", "SECRETS", "ASKS"], &[], rows);
    let notes: String = config.notes.iter().map(|note| format!("note: {note}\n")).collect();
    output::print(&format!("{} is in order\n{table}{notes}", folder.join(FILE).display()));
}

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;
