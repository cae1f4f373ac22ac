//! Nothing acknowledged is lost and nothing is doubled, whatever ends the process.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use afluente_tests::{Load, Shop, Up, wait_until};

/// Every acknowledged event is in the ledger once, and its payment has its money once.
fn nothing_is_missing_or_doubled(shop: &Shop, acknowledged: &BTreeSet<String>) {
    let all_there = || {
        let receipts = shop.receipts();
        acknowledged.iter().all(|name| receipts.contains_key(&format!("snapshot:evt_{name}")))
    };
    wait_until("every acknowledged event is in the ledger", all_there);
    assert!(shop.receipts().values().all(|count| *count == 1), "a receipt was stored twice");
    let doubled = shop.count("select count(*) from payments where captured_amount <> 1000 or status_v2 <> 'SUCCEEDED'");
    assert_eq!(doubled, 0, "a payment does not have its money exactly once");
}

#[test]
fn kill_nine_five_times_under_load_loses_nothing_acknowledged() {
    let shop = Shop::new();
    let first = shop.up();
    let load = Load::new(&shop, &first);
    let mut running = Some(first);
    load.run(|| {
        for round in 1..=5 {
            wait_until("more was acknowledged", || load.acknowledged() >= round * 60);
            running.take().unwrap().kill_nine();
            let up = shop.up();
            load.go_to(up.ingress);
            running = Some(up);
        }
        let before = load.acknowledged();
        wait_until("it goes on after the last restart", || load.acknowledged() > before);
    });
    nothing_is_missing_or_doubled(&shop, &load.names());
    assert_eq!(running.unwrap().terminate().0, 0);
    let report = shop.run(&["rebuild", "--check", "--json"]).expect(0).json();
    assert_eq!(report["differences"].as_array().map(Vec::len), Some(0));
}

#[test]
fn killed_between_the_ledger_s_commit_and_the_queue_s_acknowledgement_it_counts_a_repetition_and_doubles_nothing() {
    let shop = Shop::new();
    let up = shop.up();
    let ledger = shop.hold("ledger.sqlite");
    let names: BTreeSet<String> = (0..5).map(|number| format!("between{number}")).collect();
    for name in &names {
        assert!(shop.deliver(up.ingress, &Shop::paid(name, 1_000)).is_acknowledged());
    }
    // The worker may write to the ledger from now on, and the queue takes nothing more.
    let queue = shop.hold("queue.sqlite");
    drop(ledger);
    wait_until("the ledger has committed", || !shop.receipts().is_empty());
    up.kill_nine();
    drop(queue);
    let up = shop.up();
    nothing_is_missing_or_doubled(&shop, &names);
    wait_until("what came again is counted", || shop.count("select sum(deliveries) from webhook_dedupe") > 5);
    assert_eq!(shop.count("select count(*) from payments where row_version <> 1"), 0, "it changed nothing");
    assert_eq!(up.terminate().0, 0);
}

#[test]
fn sigterm_under_load_ends_cleanly_and_loses_nothing_acknowledged() {
    let shop = Shop::new();
    let up = shop.up();
    let load = Load::new(&shop, &up);
    let mut ended = None;
    load.run(|| {
        wait_until("enough was acknowledged", || load.acknowledged() >= 200);
        ended = Some(up.terminate());
    });
    assert_eq!(ended.unwrap().0, 0);
    let up = shop.up();
    nothing_is_missing_or_doubled(&shop, &load.names());
    drop(up);
}

#[test]
fn a_full_disk_is_answered_with_503_and_what_was_acknowledged_stays() {
    let shop = Shop::new();
    assert_eq!(shop.up().terminate().0, 0);
    let mut up = Up::start_on_a_small_disk(&shop.data(), 1_500);
    let mut acknowledged = BTreeSet::new();
    let mut refused = 0;
    for number in 0..5_000 {
        let name = format!("full{number}");
        match shop.deliver(up.ingress, &Shop::paid(&name, 1_000)).status {
            200 => drop(acknowledged.insert(name)),
            503 => refused += 1,
            other => panic!("expected 200 or 503, got {other}"),
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the disk never filled up");
    assert!(up.is_alive(), "a full disk ended the process");
    assert!(up.get("/healthz").starts_with("HTTP/1.1 200"));
    up.kill_nine();
    let up = shop.up();
    nothing_is_missing_or_doubled(&shop, &acknowledged);
    assert!(shop.deliver(up.ingress, &Shop::paid("after", 1_000)).is_acknowledged());
}

#[test]
fn a_second_process_on_one_folder_is_refused_and_the_first_goes_on() {
    let shop = Shop::new();
    let up = shop.up();
    let second = shop.run(&["up"]).expect(3);
    assert!(second.err.contains("held by another process"), "{second:#?}");
    assert!(second.err.contains(&up.pid().to_string()), "{second:#?}");
    assert!(shop.deliver(up.ingress, &Shop::paid("still", 1_000)).is_acknowledged());
}

#[test]
fn a_damaged_queue_file_is_refused_and_left_as_it_is() {
    let shop = Shop::new();
    let (code, _) = shop.up().terminate();
    assert_eq!(code, 0);
    let file = shop.data().join("queue.sqlite");
    let garbage = b"this is not a database, and it is longer than a header".repeat(40);
    std::fs::write(&file, &garbage).unwrap();
    let refused = shop.run(&["up"]).expect(3);
    assert!(refused.err.contains("queue.sqlite"), "{refused:#?}");
    assert_eq!(std::fs::read(&file).unwrap(), garbage);
}
