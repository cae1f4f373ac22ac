//! What every command that decides something takes, and how it says what came of it.

use clap::Args;
use serde_json::json;

use crate::control::Answer;
use crate::output;

/// The arguments of a decision.
#[derive(Args)]
pub(crate) struct DecideArgs {
    /// Only show what would happen
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who does it, for the record
    #[arg(long, env = "USER", default_value = "operator", value_name = "NAME")]
    pub(crate) by: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What was decided about, as a person counts it.
pub(crate) struct Told {
    /// One of them.
    pub(crate) one: &'static str,
    /// Several.
    pub(crate) several: &'static str,
    /// What was done, in the past tense.
    pub(crate) done: &'static str,
    /// What is said of those that were settled before.
    pub(crate) before: &'static str,
}

impl Told {
    /// Prints how many were done, and how many were not open any more.
    pub(crate) fn print(&self, answer: &Answer, as_json: bool) {
        if as_json {
            output::print_json(&json!({"done": answer.done, "already_settled": answer.already_settled}));
            return;
        }
        output::print(&format!("{} {}\n", self.count(answer.done.len()), self.done));
        if !answer.already_settled.is_empty() {
            output::print(&format!("{} {}\n", self.count(answer.already_settled.len()), self.before));
        }
    }

    fn count(&self, number: usize) -> String {
        format!("{number} {}", if number == 1 { self.one } else { self.several })
    }
}
