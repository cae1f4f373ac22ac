//! `afluente check --deep`: every byte of queue, spool and ledger.

use std::path::{Path, PathBuf};

use afluente_queue::OpenError;
use afluente_queue::embedded::examine;
use afluente_store::{Flaw, StoreError};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::config::{Config, queue::SPOOL_FOLDER};
use crate::exit::Failure;
use crate::output;
use crate::rebuild;

/// How many flaws a person is shown.
const SHOWN: usize = 50;

/// Something wrong, wherever it is.
struct Found {
    file: String,
    row: String,
    what: String,
}

impl Found {
    fn new(file: impl Into<PathBuf>, row: Option<String>, what: String) -> Found {
        Found { file: file.into().display().to_string(), row: row.unwrap_or_else(|| "-".to_owned()), what }
    }
}

/// What was read, in words, and what is wrong.
#[derive(Default)]
struct Checked {
    read: Vec<(&'static str, String)>,
    found: Vec<Found>,
}

/// Reads everything and reports.
pub(crate) async fn run(config: &Config, folder: &Path, as_json: bool) -> Result<(), Failure> {
    let mut checked = Checked::default();
    for (what, folder) in [("queue", folder.to_owned()), ("spool", folder.join(SPOOL_FOLDER))] {
        checked.queue(what, &folder, config)?;
    }
    checked.files(config).await?;
    checked.rows(config).await?;
    if as_json {
        output::print_json(&checked.document());
    } else {
        output::print(&checked.text());
    }
    match checked.found.len() {
        0 => Ok(()),
        flaws => Err(Failure::Found(format!("{} found", output::count(flaws as i128, "flaw")))),
    }
}

impl Checked {
    fn queue(&mut self, what: &'static str, folder: &Path, config: &Config) -> Result<(), Failure> {
        let bar = ProgressBar::new_spinner();
        let examined = match config.seal_keys() {
            Ok(keys) => examine(folder, &keys, |read| bar.set_position(read)),
            // Nothing was sealed yet.
            Err(_) => Ok(None),
        };
        bar.finish_and_clear();
        match examined {
            Ok(None) => self.read.push((what, "none".to_owned())),
            Ok(Some(examined)) => {
                self.read.push((what, format!("{}, each with its seal", output::count(examined.messages, "message"))));
                let flaws = examined.flaws.into_iter();
                self.found
                    .extend(flaws.map(|flaw| Found::new(flaw.file, flaw.row.map(|row| row.to_string()), flaw.what)));
            }
            Err(
                error @ (OpenError::NotADatabase { .. }
                | OpenError::Damaged { .. }
                | OpenError::OtherApplication { .. }),
            ) => {
                self.read.push((what, "cannot be read".to_owned()));
                self.found.push(Found::new(folder, None, error.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn files(&mut self, config: &Config) -> Result<(), Failure> {
        match Flaw::find(&config.ledger).await {
            Ok(flaws) => self.found.extend(flaws.into_iter().map(|flaw| Found::new(flaw.file, flaw.row, flaw.what))),
            Err(StoreError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// What rows say, against what receipts say.
    async fn rows(&mut self, config: &Config) -> Result<(), Failure> {
        match rebuild::compare(config, &config.worker_accounts(), false).await {
            Ok(report) => {
                let rows = report.payments + report.subscriptions + report.identities + report.claims;
                let read = format!(
                    "{} read again, {} compared with them; {} of receipts no longer held",
                    output::count(report.receipts, "receipt"),
                    output::count(rows, "row"),
                    output::count(report.uncovered, "fact"),
                );
                self.read.push(("ledger", read));
                self.found.extend(report.differences.into_iter().map(|one| {
                    let what = format!("{}: {} is stored, {} is right", one.what, one.stored, one.recomputed);
                    Found::new("ledger", Some(one.entity), what)
                }));
                Ok(())
            }
            Err(StoreError::Missing { .. }) => {
                self.read.push(("ledger", "none".to_owned()));
                Ok(())
            }
            Err(error) if !self.found.is_empty() => {
                self.read.push(("ledger", format!("cannot be read to its end: {error}")));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn text(&self) -> String {
        let mut text: String = self.read.iter().map(|(what, read)| format!("{what:<8}{read}\n")).collect();
        if self.found.is_empty() {
            return text + "result  nothing is damaged\n";
        }
        let rows = self.found.iter().take(SHOWN);
        let rows = rows.map(|one| vec![one.file.clone(), one.row.clone(), one.what.clone()]);
        text.push('\n');
        text.push_str(&output::table(&["FILE", "ROW", "WHAT"], &[], rows));
        if self.found.len() > SHOWN {
            text.push_str(&format!("… and {} more; --json shows all\n", self.found.len() - SHOWN));
        }
        text
    }

    fn document(&self) -> Value {
        let read: Vec<Value> = self.read.iter().map(|(what, read)| json!({"what": what, "read": read})).collect();
        let found = self.found.iter().map(|one| json!({"file": one.file, "row": one.row, "what": one.what}));
        json!({"read": read, "flaws": found.collect::<Vec<_>>()})
    }
}
