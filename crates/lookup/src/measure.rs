//! Metrics of look-ups: closed label sets, every series there from the start.

use std::collections::BTreeMap;
use std::time::Duration;

use afluente_model::{Gateway, Timestamp, WantReason};
use afluente_store::report::OpenWants;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::outcome::Outcome;

const WANTS: &str = "afluente_wants_open";
const OLDEST: &str = "afluente_wants_oldest_seconds";
const ASKED: &str = "afluente_lookup_wants_total";
const CALLS: &str = "afluente_lookup_calls_total";
const SECONDS: &str = "afluente_lookup_call_seconds";
const LEFT: &str = "afluente_lookup_budget_left";
const CLOSED: &str = "afluente_lookup_accounts_closed";
const KEYS: &str = "afluente_public_keys_calls_total";
const NOT_RECORDED: &str = "afluente_lookup_not_recorded_total";

fn gateways() -> impl Iterator<Item = Gateway> {
    Gateway::ALL.iter().copied()
}

pub(crate) fn describe_keys() {
    describe_counter!(KEYS, "Calls for the public keys of a gateway, by whether there were any");
    for outcome in ["fetched", "failed"] {
        counter!(KEYS, "outcome" => outcome).absolute(0);
    }
}

/// Public keys were asked for.
pub(crate) fn keys(fetched: bool) {
    counter!(KEYS, "outcome" => if fetched { "fetched" } else { "failed" }).increment(1);
}

pub(crate) fn describe() {
    describe_gauge!(WANTS, "Questions for a gateway that nobody has answered, by why they were raised");
    describe_gauge!(OLDEST, "Age of the oldest of them, seconds");
    describe_counter!(ASKED, "Tries to answer a question, by how they ended");
    describe_counter!(CALLS, "Calls to a gateway's API, by the class of their status");
    describe_histogram!(SECONDS, "How long a call took, seconds");
    describe_gauge!(LEFT, "Calls left of this month's budget: the least of a gateway's accounts; -1 without a budget");
    describe_gauge!(CLOSED, "Accounts nobody asks for at the moment, because their gateway fails or said to wait");
    describe_counter!(NOT_RECORDED, "Answers the ledger did not take; they are asked for again");
    for gateway in gateways() {
        for outcome in Outcome::ALL {
            counter!(ASKED, "gateway" => gateway.slug(), "outcome" => outcome.as_str()).absolute(0);
        }
        for class in CLASSES {
            counter!(CALLS, "gateway" => gateway.slug(), "status" => class).absolute(0);
        }
        counter!(NOT_RECORDED, "gateway" => gateway.slug()).absolute(0);
    }
}

/// Statuses of one class are told together, but for those that say what to do.
const CLASSES: [&str; 8] = ["2xx", "3xx", "401", "404", "429", "4xx", "5xx", "none"];

fn class(status: Option<u16>) -> &'static str {
    match status {
        None => "none",
        Some(401) => "401",
        Some(404) => "404",
        Some(429) => "429",
        Some(200..300) => "2xx",
        Some(300..400) => "3xx",
        Some(400..500) => "4xx",
        Some(_) => "5xx",
    }
}

pub(crate) fn asked(gateway: Gateway, outcome: Outcome) {
    counter!(ASKED, "gateway" => gateway.slug(), "outcome" => outcome.as_str()).increment(1);
}

pub(crate) fn called(gateway: Gateway, status: Option<u16>, took: Duration) {
    counter!(CALLS, "gateway" => gateway.slug(), "status" => class(status)).increment(1);
    histogram!(SECONDS, "gateway" => gateway.slug()).record(took);
}

pub(crate) fn not_recorded(gateway: Gateway) {
    counter!(NOT_RECORDED, "gateway" => gateway.slug()).increment(1);
}

/// What is open, as the ledger has it.
#[allow(clippy::cast_precision_loss, reason = "a gauge")]
pub(crate) fn open(wants: &[OpenWants], now: Timestamp) {
    for gateway in gateways() {
        let own = || wants.iter().filter(|one| one.gateway == gateway);
        for reason in WantReason::ALL {
            let open = own().find(|one| one.reason == *reason).map_or(0, |one| one.open);
            gauge!(WANTS, "gateway" => gateway.slug(), "reason" => reason.as_str()).set(open as f64);
        }
        let age = own().map(|one| now.micros_since(one.since)).max().unwrap_or(0).max(0);
        gauge!(OLDEST, "gateway" => gateway.slug()).set(age as f64 / 1e6);
    }
}

/// How each account stands: what is left of its budget, and whether anybody asks for it.
#[allow(clippy::cast_precision_loss, reason = "a gauge")]
pub(crate) fn accounts(all: impl Iterator<Item = (Gateway, Option<u64>, bool)>) {
    let mut by_gateway: BTreeMap<Gateway, (Option<u64>, u32)> = gateways().map(|one| (one, (None, 0))).collect();
    for (gateway, left, is_closed) in all {
        let entry = by_gateway.entry(gateway).or_default();
        entry.0 = entry.0.into_iter().chain(left).min();
        entry.1 += u32::from(is_closed);
    }
    for (gateway, (left, closed)) in by_gateway {
        gauge!(LEFT, "gateway" => gateway.slug()).set(left.map_or(-1.0, |left| left as f64));
        gauge!(CLOSED, "gateway" => gateway.slug()).set(f64::from(closed));
    }
}
