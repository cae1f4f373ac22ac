use afluente_model::Timestamp;

use super::super::Weight;
use super::*;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000 + micros).unwrap()
}

/// A server as it should be.
fn healthy() -> ServerHealth {
    let says = ServerSays {
        version: 150_018,
        version_text: "15.18".to_owned(),
        in_recovery: false,
        role: "afluente".to_owned(),
        searched: "afluente".to_owned(),
        fsync: true,
        full_page_writes: true,
        synchronous_commit: "on".to_owned(),
        autovacuum: true,
        read_only: false,
        connections_allowed: 97,
        connections_used: 5,
        encrypted: true,
        address: "10.0.0.5".to_owned(),
        clock: at(500),
        bytes: 9 << 20,
        oldest_transaction_seconds: 0,
    };
    ServerHealth { says, without_rights: Vec::new(), shared_sessions: false, asked_at: at(0), asked_micros: 1_000 }
}

/// What is not fine, as `topic weight`.
fn found(change: impl FnOnce(&mut ServerHealth)) -> Vec<String> {
    let mut health = healthy();
    change(&mut health);
    let odd = findings(&health).into_iter().filter(|finding| finding.weight != Weight::Fine);
    odd.inspect(|finding| assert!(!finding.mend.is_empty(), "{finding:?} does not say how to mend it"))
        .map(|finding| format!("{} {}", finding.topic, finding.weight.word()))
        .collect()
}

#[test]
fn a_server_as_it_should_be_has_nothing_to_mend() {
    assert_eq!(found(|_| {}), [] as [&str; 0]);
}

#[test]
fn each_thing_that_is_wrong_is_found_and_nothing_else() {
    assert_eq!(found(|health| health.says.version = 120_020), ["version wrong"]);
    assert_eq!(found(|health| health.says.version = 130_000), [] as [&str; 0]);
    assert_eq!(found(|health| health.says.version = 180_001), ["version note"]);
    assert_eq!(found(|health| health.says.in_recovery = true), ["writes wrong"]);
    assert_eq!(found(|health| health.says.read_only = true), ["writes wrong"]);
    assert_eq!(found(|health| health.without_rights.push("payments".to_owned())), ["rights wrong"]);
    assert_eq!(found(|health| health.says.searched = "public".to_owned()), ["search_path wrong"]);
    assert_eq!(found(|health| health.shared_sessions = true), ["sessions note"]);
    assert_eq!(found(|health| health.says.connections_used = 90), ["connections note"]);
    assert_eq!(found(|health| health.says.encrypted = false), ["encryption note"]);
    assert_eq!(found(|health| health.says.autovacuum = false), ["cleaning wrong"]);
    assert_eq!(found(|health| health.says.oldest_transaction_seconds = 601), ["cleaning note"]);
    assert_eq!(found(|health| health.says.fsync = false), ["durability wrong"]);
    assert_eq!(found(|health| health.says.full_page_writes = false), ["durability wrong"]);
    assert_eq!(found(|health| health.says.synchronous_commit = "off".to_owned()), ["durability wrong"]);
    let here = |health: &mut ServerHealth| {
        health.says.encrypted = false;
        health.says.address = "127.0.0.1".to_owned();
    };
    assert_eq!(found(here), [] as [&str; 0]);
}

#[test]
fn clocks_are_held_against_the_time_the_question_took() {
    let clock = |micros: i64| found(|health| health.says.clock = at(micros));
    assert_eq!(clock(0), [] as [&str; 0]);
    assert_eq!(clock(1_001_000), [] as [&str; 0]);
    assert_eq!(clock(1_001_001), ["clock note"]);
    assert_eq!(clock(-1_000_001), ["clock note"]);
    assert_eq!(clock(-61_000_000), ["clock wrong"]);
    assert_eq!(clock(70_000_000), ["clock wrong"]);
}

#[test]
fn rows_beside_the_partitions_are_wrong() {
    assert_eq!(partitions(12, 0).weight, Weight::Fine);
    assert_eq!(partitions(12, 3).weight, Weight::Wrong);
}
