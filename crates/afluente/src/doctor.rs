//! `afluente doctor`: what is wrong with the ledger's database and the broker, and how to mend it.

use std::path::Path;

use afluente_store::{Health, Location, Schema, ServerHealth, Store, StoreError};
use clap::Args;
use serde_json::{Value, json};

use crate::config::{self, Config, QueueConfig};
use crate::exit::Failure;
use crate::output;

mod broker;
mod file;
mod policy;
mod server;

/// Looks at the configuration, the broker and the ledger's database: versions, rights, settings that lose data, clocks,
/// poolers, partitions, queues and who takes from them, space. Each finding says how to mend it. Changes nothing. Exit code 1 if something is wrong.
#[derive(Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// As it should be.
    Fine,
    /// Worth knowing.
    Note,
    /// Something fails or can be lost.
    Wrong,
}

impl Weight {
    fn word(self) -> &'static str {
        match self {
            Weight::Fine => "fine",
            Weight::Note => "note",
            Weight::Wrong => "wrong",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    topic: &'static str,
    weight: Weight,
    says: String,
    mend: String,
}

impl Finding {
    fn fine(topic: &'static str, says: impl Into<String>) -> Finding {
        Finding { topic, weight: Weight::Fine, says: says.into(), mend: String::new() }
    }

    fn note(topic: &'static str, says: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { topic, weight: Weight::Note, says: says.into(), mend: mend.into() }
    }

    fn wrong(topic: &'static str, says: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { topic, weight: Weight::Wrong, says: says.into(), mend: mend.into() }
    }
}

/// Looks at everything and reports.
pub(crate) async fn run(args: &DoctorArgs, folder: &Path) -> Result<(), Failure> {
    let (config, configuration) = configuration(folder);
    let mut findings = vec![configuration];
    findings.extend(file::space(folder));
    if let Some(QueueConfig::Broker { options, management, .. }) = config.map(|config| config.queue) {
        findings.extend(broker::findings(&options).await);
        findings.push(policy::finding(&options, management.as_ref()).await);
    }
    match config::ledger::location(folder) {
        Ok(location) => findings.extend(ledger(&location).await),
        Err(problems) => findings.push(Finding::wrong("ledger", Failure::from(problems).text(), "correct [ledger]")),
    }
    let wrong = findings.iter().filter(|finding| finding.weight == Weight::Wrong).count();
    if args.json {
        output::print_json(&document(&findings));
    } else {
        output::print(&text(&findings));
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::Found(format!("{} wrong", output::count(wrong as i128, "thing")))) }
}

fn configuration(folder: &Path) -> (Option<Config>, Finding) {
    if !folder.join(config::FILE).exists() {
        let says = format!("none in {} yet", folder.display());
        return (None, Finding::note("configuration", says, "the first `afluente up` writes it"));
    }
    match config::load(folder).map_err(Failure::from) {
        Ok(config) => {
            let says = output::count(config.accounts.len() as i128, "account");
            (Some(config), Finding::fine("configuration", says))
        }
        Err(failure) => {
            let mend = "correct it; `afluente check` says the same";
            (None, Finding::wrong("configuration", failure.text(), mend))
        }
    }
}

async fn ledger(location: &Location) -> Vec<Finding> {
    let (schema, health) = match Health::ask(location, afluente_worker::now).await {
        Ok(found) => found,
        Err(StoreError::Missing { what }) => {
            return vec![Finding::note("ledger", format!("none at {what} yet"), "the first `afluente up` makes it")];
        }
        Err(error) => {
            return vec![match location {
                Location::Folder(_) => {
                    Finding::wrong("ledger", error.to_string(), "look who may read it, and at the disk")
                }
                Location::Server(_) => server::unreachable(&error),
            }];
        }
    };
    let mut findings = vec![version_of(&schema)];
    match &health {
        Health::File(file) => findings.extend(file::findings(file)),
        Health::Server(health) => {
            findings.extend(server::findings(health));
            if schema.is_current() {
                findings.push(partitions(location, health).await);
            }
        }
    }
    findings
}

fn version_of(schema: &Schema) -> Finding {
    let at = schema.applied.last().map_or_else(|| "nothing".to_owned(), i64::to_string);
    if schema.unknown().next().is_some() {
        Finding::wrong("schema", format!("at {at}, which a newer version made"), "install that version of Afluente")
    } else if schema.is_current() {
        Finding::fine("schema", format!("at {at}"))
    } else {
        Finding::note(
            "schema",
            format!("at {at}, behind this program"),
            "`afluente migrate`, or the next `afluente up`",
        )
    }
}

/// Partitions are made by whoever works; one who only looks says which are there.
async fn partitions(location: &Location, health: &ServerHealth) -> Finding {
    let looked = async {
        let store = Store::open_read_only(location).await?;
        let (parts, stray) = (store.partitions().await, store.stray_rows().await);
        store.close().await;
        Ok::<_, StoreError>((parts?, stray?))
    };
    match looked.await {
        Ok((parts, stray)) => server::partitions(parts.len(), stray),
        Err(error) => {
            Finding::wrong("partitions", error.to_string(), format!("look at the rights of {}", health.says.role))
        }
    }
}

fn text(findings: &[Finding]) -> String {
    let rows = findings.iter().map(|finding| {
        vec![finding.topic.to_owned(), finding.weight.word().to_owned(), finding.says.clone(), finding.mend.clone()]
    });
    output::table(&["TOPIC", "", "SAYS", "TO MEND IT"], &[], rows)
}

fn document(findings: &[Finding]) -> Value {
    let list = findings.iter().map(|finding| {
        json!({"topic": finding.topic, "weight": finding.weight.word(), "says": finding.says, "mend": finding.mend})
    });
    Value::Array(list.collect())
}
