//! Metrics of the worker. Every label is from a set closed at compile time.

use std::time::Duration;

use afluente_gateways::{Malformed, UnknownWord, adapters};
use afluente_model::{Gateway, Timestamp};
use afluente_queue::Queue;
use afluente_store::report::OpenGaps;
use afluente_store::{Class, DeadReason, GapTarget};
use metrics::{Counter, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::outcome::Outcome;

/// What a batch failed of that is no error of the ledger's.
const PANICKED: &str = "panicked";

/// Names every metric of the worker, once, and has its counters begin at zero.
pub(crate) fn describe() {
    describe_counter!("afluente_worker_deliveries_total", "Deliveries handled, by gateway and outcome");
    describe_counter!("afluente_worker_dead_letters_total", "Deliveries buried, by gateway and reason");
    describe_counter!("afluente_worker_unknown_words_total", "Words of a gateway we do not know, by gateway and field");
    describe_counter!(
        "afluente_worker_damaged_parts_total",
        "Parts that were noted and passed over, by gateway and field"
    );
    describe_counter!(
        "afluente_worker_doubted_amounts_total",
        "Amounts that break the gateway's own rule for the currency"
    );
    describe_counter!(
        "afluente_worker_batch_failures_total",
        "Transactions that failed, by class: away, contended, unsettled, refused, panicked"
    );
    describe_counter!(
        "afluente_dual_write_gaps_total",
        "What could not be written beside the facts, by target and class"
    );
    describe_gauge!("afluente_dual_write_gaps_open", "Gaps that are open, by target");
    describe_gauge!("afluente_dual_write_gaps_oldest_seconds", "How long the oldest open gap has been open, by target");
    describe_histogram!("afluente_worker_lag_seconds", "From received to committed, by gateway");
    describe_histogram!("afluente_worker_batch_size", "Deliveries a batch");
    describe_histogram!("afluente_worker_commit_seconds", "From begin to commit");
    describe_counter!("afluente_worker_acknowledged_total", "Deliveries acknowledged to the queue");
    describe_gauge!("afluente_worker_waiting_for_ledger", "1 while the worker stands back because the ledger is away");
    describe_gauge!("afluente_worker_accounts_missing", "1 while the ledger lacks rows of accounts");
    describe_gauge!("afluente_queue_depth", "Messages in the queue, by gateway and state");
    describe_gauge!("afluente_queue_bytes", "Bytes in the queue");
    at_zero();
}

/// A counter that first appears with one in it never grew from nothing, and whoever asks for its increase is told none: the
/// first dead letter would wake nobody.
fn at_zero() {
    for gateway in Gateway::ALL {
        for outcome in Outcome::EACH_WORD {
            deliveries(gateway.slug(), outcome).absolute(0);
        }
        for reason in DeadReason::ALL {
            dead_letters(gateway.slug(), *reason).absolute(0);
        }
        for entry in adapters(*gateway).iter().flat_map(|adapter| adapter.vocabulary()) {
            unknown_words(*gateway, entry.field).absolute(0);
        }
        doubted_amounts(*gateway).absolute(0);
    }
    for class in Class::ALL {
        failures(class.as_str()).absolute(0);
        for target in GapTarget::ALL {
            dual_write_gaps(target, class).absolute(0);
        }
    }
    failures(PANICKED).absolute(0);
    acknowledged().absolute(0);
    gauge!("afluente_worker_waiting_for_ledger").set(0.0);
}

fn deliveries(gateway: &'static str, outcome: Outcome) -> Counter {
    counter!("afluente_worker_deliveries_total", "gateway" => gateway, "outcome" => outcome.word())
}

fn dead_letters(gateway: &'static str, reason: DeadReason) -> Counter {
    counter!("afluente_worker_dead_letters_total", "gateway" => gateway, "reason" => reason.as_str())
}

fn unknown_words(gateway: Gateway, field: &'static str) -> Counter {
    counter!("afluente_worker_unknown_words_total", "gateway" => gateway.slug(), "field" => field)
}

fn doubted_amounts(gateway: Gateway) -> Counter {
    counter!("afluente_worker_doubted_amounts_total", "gateway" => gateway.slug())
}

fn failures(class: &'static str) -> Counter {
    counter!("afluente_worker_batch_failures_total", "class" => class)
}

fn dual_write_gaps(target: GapTarget, class: Class) -> Counter {
    counter!("afluente_dual_write_gaps_total", "target" => target.as_str(), "class" => class.as_str())
}

/// Deliveries acknowledged to the queue.
pub(crate) fn acknowledged() -> Counter {
    counter!("afluente_worker_acknowledged_total")
}

pub(crate) fn outcome(gateway: Gateway, outcome: Outcome) {
    deliveries(gateway.slug(), outcome).increment(1);
}

pub(crate) fn damaged(gateway: Gateway, note: &Malformed) {
    counter!("afluente_worker_damaged_parts_total", "gateway" => gateway.slug(), "field" => note.field()).increment(1);
}

pub(crate) fn doubted(gateway: Gateway) {
    doubted_amounts(gateway).increment(1);
}

pub(crate) fn buried(gateway: &'static str, reason: DeadReason) {
    deliveries(gateway, Outcome::Buried(reason)).increment(1);
    dead_letters(gateway, reason).increment(1);
}

pub(crate) fn unknown_word(gateway: Gateway, word: &UnknownWord) {
    unknown_words(gateway, word.field).increment(1);
}

pub(crate) fn lag(gateway: Gateway, received_at: Timestamp, now: Timestamp) {
    let micros = u64::try_from(now.micros_since(received_at)).unwrap_or(0);
    histogram!("afluente_worker_lag_seconds", "gateway" => gateway.slug())
        .record(Duration::from_micros(micros).as_secs_f64());
}

pub(crate) fn batch(size: usize) {
    histogram!("afluente_worker_batch_size").record(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
}

pub(crate) fn committed(took: Duration) {
    histogram!("afluente_worker_commit_seconds").record(took.as_secs_f64());
}

pub(crate) fn failed(class: Class) {
    failures(class.as_str()).increment(1);
}

/// So many things could not be written beside the facts.
pub(crate) fn gaps(target: GapTarget, class: Class, count: usize) {
    dual_write_gaps(target, class).increment(u64::try_from(count).unwrap_or(u64::MAX));
}

/// How many such are open, and for how long the oldest was.
#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts this large are not reached")]
pub(crate) fn open_gaps(target: GapTarget, gaps: OpenGaps, now: Timestamp) {
    let micros = gaps.oldest.map_or(0, |oldest| now.as_micros().saturating_sub(oldest.as_micros()));
    gauge!("afluente_dual_write_gaps_open", "target" => target.as_str()).set(gaps.open as f64);
    gauge!("afluente_dual_write_gaps_oldest_seconds", "target" => target.as_str()).set(micros as f64 / 1e6);
}

pub(crate) fn panicked() {
    failures(PANICKED).increment(1);
}

/// Sets the gauges of the queue from its own counters: call it whenever somebody is about to read them.
#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts this large are not reached")]
pub fn queue(queue: &Queue) {
    if let Some(spooled) = queue.spooled() {
        gauge!("afluente_spool_messages").set(spooled.messages as f64);
        gauge!("afluente_spool_bytes").set(spooled.bytes as f64);
        gauge!("afluente_spool_age_seconds").set(spooled.since.as_secs_f64());
    }
    let Some(held) = queue.depth() else { return };
    gauge!("afluente_queue_bytes").set(held.total().bytes as f64);
    for (gateway, depth) in held.by_gateway {
        let set = |state: &'static str, count: u64| {
            gauge!("afluente_queue_depth", "gateway" => gateway.slug(), "state" => state).set(count as f64);
        };
        set("ready", depth.ready);
        set("delayed", depth.delayed);
        set("in_flight", depth.in_flight);
    }
}
