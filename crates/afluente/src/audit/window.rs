//! What was found in a window of time: payments and sessions by gateway, rows of an application by its spelling of one.

use std::collections::BTreeMap;

use afluente_model::Timestamp;
use afluente_store::Store;
use afluente_store::legacy::Counted;
use serde_json::{Map, Value, json};

use super::share::{Colour, Measure, Share};
use crate::exit::Failure;
use crate::output;

/// The name of the line over all gateways.
const ALL: &str = "all";
/// What is measured of payments and sessions, in the order of the columns.
const OURS: [Measure; 5] = [Measure::Customer, Measure::Link, Measure::Status, Measure::Method, Measure::Session];
/// What is measured of an application's rows.
const THEIRS: [Measure; 4] = [Measure::Provider, Measure::Status, Measure::Ledger, Measure::Customer];

/// So many things, and how many of them have each of what is measured.
#[derive(Clone, Debug)]
struct Line<const N: usize> {
    measures: [Measure; N],
    /// Of how many, by measure.
    of: [i64; N],
    have: [i64; N],
}

impl<const N: usize> Line<N> {
    fn empty(measures: [Measure; N]) -> Line<N> {
        Line { measures, of: [0; N], have: [0; N] }
    }

    fn add(&mut self, other: &Line<N>) {
        for place in 0..N {
            self.of[place] += other.of[place];
            self.have[place] += other.have[place];
        }
    }

    fn shares(&self) -> impl Iterator<Item = Share> {
        (0..N).map(|place| Share { measure: self.measures[place], of: self.of[place], have: self.have[place] })
    }

    fn document(&self, name: &str) -> Value {
        let shares: Map<String, Value> =
            self.shares().map(|share| (share.measure.name().to_owned(), share.document())).collect();
        json!({"gateway": name, "shares": shares})
    }
}

/// Lines by gateway, and one over all of them.
#[derive(Clone, Debug)]
struct Lines<const N: usize> {
    each: BTreeMap<String, Line<N>>,
    all: Line<N>,
}

impl<const N: usize> Lines<N> {
    fn of(each: BTreeMap<String, Line<N>>, measures: [Measure; N]) -> Lines<N> {
        let mut all = Line::empty(measures);
        for one in each.values() {
            all.add(one);
        }
        Lines { each, all }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &Line<N>)> {
        self.each.iter().map(|(name, line)| (name.as_str(), line)).chain([(ALL, &self.all)])
    }

    fn documents(&self) -> Vec<Value> {
        self.iter().map(|(name, line)| line.document(name)).collect()
    }

    fn red(&self, window: &str) -> Vec<String> {
        let red = |(name, line): (&String, &Line<N>)| {
            let red = line.shares().filter(|share| share.colour() == Some(Colour::Red));
            red.map(|share| format!("{name} {} {share} ({window})", share.measure.name())).collect::<Vec<_>>()
        };
        self.each.iter().flat_map(red).collect()
    }

    /// The cells of every line, `counts` of them before which how many there are is shown.
    fn rows(&self, window: &str, counts: &[usize]) -> Vec<Vec<String>> {
        let row = |(name, line): (&str, &Line<N>)| {
            let mut cells = vec![window.to_owned(), name.to_owned()];
            for (place, share) in line.shares().enumerate() {
                cells.extend(counts.contains(&place).then(|| share.of.to_string()));
                cells.push(share.to_string());
            }
            cells
        };
        self.iter().map(row).collect()
    }
}

/// What was found since a moment.
pub(super) struct Window {
    name: &'static str,
    ours: Lines<5>,
    /// Of an application that was adopted.
    theirs: Option<Lines<4>>,
}

impl Window {
    pub(super) async fn read(
        store: &Store,
        name: &'static str,
        since: Timestamp,
        merchant: Option<&str>,
    ) -> Result<Window, Failure> {
        let mut each: BTreeMap<String, Line<5>> = BTreeMap::new();
        for row in store.audit_payments(since, merchant).await? {
            let line = each.entry(row.provider_v2).or_insert_with(|| Line::empty(OURS));
            line.of[..4].fill(row.payments);
            line.have[..4].copy_from_slice(&[row.with_customer, row.with_link, row.with_status, row.with_method]);
        }
        for row in store.audit_sessions(since, merchant).await? {
            let line = each.entry(row.provider_v2).or_insert_with(|| Line::empty(OURS));
            (line.of[4], line.have[4]) = (row.sessions, row.with_payment);
        }
        Ok(Window { name, ours: Lines::of(each, OURS), theirs: theirs(store, since).await? })
    }

    pub(super) fn document(&self) -> Value {
        json!({
            "window": self.name, "gateways": self.ours.documents(), "application": self.theirs.as_ref().map(Lines::documents),
        })
    }

    /// Whether there are rows of an application, and none of them is known to be a payment of ours.
    fn matches_nothing(&self) -> bool {
        let place = THEIRS.iter().position(|measure| *measure == Measure::Ledger);
        let matched = |theirs: &Lines<4>| place.is_some_and(|place| theirs.all.have[place] > 0);
        !self.theirs.as_ref().is_some_and(matched)
    }

    /// What is red, for people.
    pub(super) fn red(&self) -> Vec<String> {
        let mut red = self.ours.red(self.name);
        red.extend(
            self.theirs.iter().flat_map(|theirs| theirs.red(&format!("rows of the application, {}", self.name))),
        );
        red
    }
}

async fn theirs(store: &Store, since: Timestamp) -> Result<Option<Lines<4>>, Failure> {
    if !store.audits_legacy(Counted::Shares).await? {
        return Ok(None);
    }
    let rows = store.legacy_audit(since).await?.into_iter().map(|row| {
        let have = [row.with_provider, row.with_status, row.in_ledger, row.with_customer];
        (row.spelling, Line { measures: THEIRS, of: [row.found; 4], have })
    });
    Ok(Some(Lines::of(rows.collect(), THEIRS)))
}

/// The tables of all windows.
pub(super) fn text(windows: &[Window]) -> String {
    let rows = windows.iter().flat_map(|window| window.ours.rows(window.name, &[0, 4]));
    let mut headings = headings(&OURS);
    headings.insert(0, "PAYMENTS".to_owned());
    headings.insert(5, "SESSIONS".to_owned());
    let mut text = table("GATEWAY", &headings, rows.collect());
    let theirs = windows.iter().filter_map(|window| Some(window.theirs.as_ref()?.rows(window.name, &[0])));
    let theirs: Vec<Vec<String>> = theirs.flatten().collect();
    if !theirs.is_empty() {
        let mut headings = self::headings(&THEIRS);
        headings.insert(0, "ROWS".to_owned());
        text.push_str("\nrows of the application\n");
        text.push_str(&table("PROVIDER", &headings, theirs));
        if windows.iter().all(Window::matches_nothing) {
            text.push_str("no row is matched with a payment: that is done while [legacy] write is shadow or on\n");
        }
    }
    text
}

fn headings(measures: &[Measure]) -> Vec<String> {
    measures.iter().map(|measure| format!("{} ({} %)", measure.name().to_uppercase(), measure.goal())).collect()
}

fn table(of: &str, headings: &[String], rows: Vec<Vec<String>>) -> String {
    let headings: Vec<&str> = ["WHEN", of].into_iter().chain(headings.iter().map(String::as_str)).collect();
    let right: Vec<usize> = (2..headings.len()).collect();
    output::table(&headings, &right, rows)
}
