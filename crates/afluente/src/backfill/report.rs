//! What a backfill did, for people and programs.

use afluente_worker::backfill::{Kind, Tally};
use serde_json::{Value, json};

use crate::output;

/// What came of one kind.
pub(super) struct Taken {
    pub(super) kind: Kind,
    pub(super) tally: Tally,
    /// How many rows were taken in before it was stopped, if it went on.
    pub(super) resumed_after: Option<i64>,
    pub(super) is_finished: bool,
    pub(super) is_dry: bool,
}

/// What each word of a tally means, in the order they are shown.
const MEANINGS: [(&str, &str); 15] = [
    ("rows", "read"),
    ("taken", "said something new, which was taken in"),
    ("known", "were taken in before as they are"),
    ("silent", "name nothing at a gateway"),
    ("asked", "leave something open; it is asked at the gateway (afluente wants list)"),
    ("unknown_word", "have a status nobody is known to write (afluente unknown list)"),
    ("customer_disagrees", "were given to a customer whose address is another or not known: shown, not linked"),
    ("body_passed_over", "have a stored body that is no object or too large: its columns were read"),
    ("no_payment", "lead to no payment of ours"),
    ("other_gateway", "are of a gateway that is none of ours"),
    ("no_account", "are of a gateway or seller without an account here"),
    ("several_accounts", "may be of several accounts: name their sellers in [legacy.merchants.NAME] ids"),
    ("unknown_merchant", "are of a seller the configuration does not name (afluente audit merchants-missing)"),
    ("of_a_sub_account", "lead to a payment of a sub-account"),
    ("unreadable", "could not be read"),
];
/// How many ids a person is shown of each.
const SHOWN: usize = 5;

pub(super) fn print(all: &[Taken], as_json: bool) {
    if as_json {
        output::print_json(&Value::Array(all.iter().map(document).collect()));
        return;
    }
    for taken in all {
        output::print(&text(taken));
    }
}

fn text(taken: &Taken) -> String {
    let counts = &taken.tally.counts;
    let shown = MEANINGS.iter().filter_map(|(word, meaning)| Some((word, meaning, counts.get(word)?)));
    let rows = shown.map(|(word, meaning, count)| {
        let listed = taken.tally.listed.get(word).map_or(&[][..], Vec::as_slice);
        let some = listed.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" ");
        vec![count.to_string(), (*word).to_owned(), (*meaning).to_owned(), some]
    });
    let table = output::table(&["ROWS", taken.kind.as_str(), "", "FOR EXAMPLE"], &[0], rows);
    format!("{}{table}{}\n", resumed(taken), ended(taken))
}

fn resumed(taken: &Taken) -> String {
    taken.resumed_after.map_or_else(String::new, |before| format!("went on after {before} rows\n"))
}

fn ended(taken: &Taken) -> &'static str {
    match (taken.is_dry, taken.is_finished) {
        (true, _) => "nothing was taken in: without --dry-run it is",
        (false, true) => "done",
        (false, false) => "stopped at the limit: the same command goes on",
    }
}

fn document(taken: &Taken) -> Value {
    json!({
        "kind": taken.kind.as_str(), "counts": taken.tally.counts, "listed": taken.tally.listed,
        "resumed_after": taken.resumed_after, "finished": taken.is_finished, "dry_run": taken.is_dry,
    })
}
