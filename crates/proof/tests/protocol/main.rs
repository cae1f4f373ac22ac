//! A model of the protocol, walked through state by state: two publishers, a broker, two workers, a ledger and its desk of dead
//! letters, each of which may die between any two steps. It holds what it promises; and each promise is one that a small mistake
//! breaks.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

mod state;
mod system;

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};
use system::{IN_THE_END, KEPT, LETTERS, LOCKED, ONCE, System, Twin};

#[test]
fn in_every_state_that_can_be_reached_the_five_promises_hold() {
    let full = std::env::var_os("AFLUENTE_TEST_FULL").is_some();
    let system = System { twin: Twin::None, faults: if full { 4 } else { 1 }, repeats: 1 };
    let started = Instant::now();
    let walked = system.checker().threads(2).spawn_bfs().join();
    println!(
        "{} states, {} steps deep, in {:.1} s",
        walked.unique_state_count(),
        walked.max_depth(),
        started.elapsed().as_secs_f64()
    );
    walked.assert_properties();
    assert!(walked.unique_state_count() > if full { 1_000_000 } else { 10_000 });
}

/// That a mistake breaks this promise, and by how short a way.
fn breaks(twin: Twin, faults: u8, promise: &'static str) {
    let walked = System { twin, faults, repeats: 1 }
        .checker()
        .finish_when(HasDiscoveries::AnyOf([promise].into()))
        .spawn_bfs()
        .join();
    let path = walked.discovery(promise).unwrap_or_else(|| panic!("{twin:?} keeps the promise that {promise}"));
    println!("{twin:?}: not so that {promise}, after {:?}", path.into_actions());
}

#[test]
fn an_answer_before_anything_is_durable_is_noticed() {
    breaks(Twin::AnswersFirst, 0, KEPT);
}

#[test]
fn a_message_that_is_settled_before_its_commit_is_noticed() {
    breaks(Twin::SettlesFirst, 1, KEPT);
}

#[test]
fn a_retry_that_is_skipped_is_noticed() {
    breaks(Twin::SkipsRetries, 1, KEPT);
}

#[test]
fn a_receipt_that_is_not_looked_for_is_noticed() {
    breaks(Twin::KeepsNoReceipts, 0, ONCE);
}

#[test]
fn a_letter_that_is_closed_before_its_message_is_sent_is_noticed() {
    breaks(Twin::ClosesFirst, 2, LETTERS);
}

#[test]
fn locks_in_the_order_in_which_they_are_met_are_noticed() {
    breaks(Twin::LocksAsMet, 0, LOCKED);
}

#[test]
fn a_wake_up_that_is_lost_is_noticed() {
    breaks(Twin::WakesNobody, 1, IN_THE_END);
}
