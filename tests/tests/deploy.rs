//! What is shipped beside the binary speaks of what the binary has.

#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::collections::BTreeSet;
use std::path::Path;

use afluente_tests::{Brokered, Shop, wait_until};

/// A name with its labels, as Prometheus writes both rules and samples: `name{label="value"}`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    name: String,
    labels: Vec<(String, String)>,
}

fn text_of(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file)).unwrap()
}

/// Every series of ours that a text speaks of.
fn series_in(text: &str) -> BTreeSet<Series> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("afluente_") {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let inner = after.strip_prefix('{').and_then(|after| after.split_once('}')).map_or("", |(inner, _)| inner);
        let labels = inner.split("\",").filter_map(|label| label.split_once('='));
        let labels = labels.map(|(label, value)| {
            let value = value.trim_start_matches('~').trim_matches(['"', '\\']);
            (label.trim_end_matches('!').trim().to_owned(), value.to_owned())
        });
        found.insert(Series { name: name.to_owned(), labels: labels.collect() });
    }
    found
}

/// Whether a value is one that is asked for: one of several, each whole or up to `.*`.
fn is_asked(pattern: &str, value: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(start) => value.starts_with(start),
        None => value == pattern,
    }
}

/// What is asked for and is on no page.
fn missing(asked: &BTreeSet<Series>, there: &BTreeSet<Series>) -> Vec<String> {
    let mut missing = Vec::new();
    for series in asked {
        let named: Vec<&Series> = there.iter().filter(|one| one.name == series.name).collect();
        if named.is_empty() {
            missing.push(series.name.clone());
        }
        for (label, values) in &series.labels {
            let has = |one: &&Series, pattern: &str| {
                one.labels.iter().any(|(name, value)| name == label && is_asked(pattern, value))
            };
            let unseen = values.split('|').filter(|pattern| !named.iter().any(|one| has(one, pattern)));
            missing.extend(unseen.map(|pattern| format!("{}{{{label}=\"{pattern}\"}}", series.name)));
        }
    }
    missing
}

#[test]
fn every_series_in_rules_is_on_a_page_of_a_process_even_before_anything_happened() {
    let site = Brokered::new();
    let (worker, (_shop, up)) = (site.worker(), site.ingress());
    assert!(site.shop.deliver(up.ingress, &Shop::paid("seen", 1_000)).is_acknowledged());
    let alone = Shop::new();
    let whole = alone.up();
    wait_until("it was worked on", || worker.metrics().contains("afluente_worker_lag_seconds"));
    let pages = [worker.metrics(), up.metrics(), whole.metrics()].concat();
    let there = series_in(&pages);
    assert!(there.len() > 100, "{there:?}");
    assert_eq!(missing(&series_in(&text_of("alerts.yml")), &there), Vec::<String>::new());
}

#[test]
fn a_name_or_a_value_that_nothing_has_is_found() {
    let there = series_in("afluente_a_total{gateway=\"stripe\",reason=\"queue_full\"} 1\nafluente_b 2\n");
    let asked = |text: &str| missing(&series_in(text), &there);
    assert_eq!(asked("sum(rate(afluente_a_total{reason=~\"queue_.*\", gateway=\"stripe\"}[5m])) + afluente_b"), [""; 0]);
    assert_eq!(asked("afluente_c > 0"), ["afluente_c"]);
    assert_eq!(asked("afluente_a_total{reason=~\"busy|queue_.*\"}"), ["afluente_a_total{reason=\"busy\"}"]);
    assert_eq!(asked("afluente_b{state=\"ready\"}"), ["afluente_b{state=\"ready\"}"]);
}
