//! Files whose bytes somebody or something changed, and what is said of them.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use afluente_tests::{Shop, Up, wait_until};
use rusqlite::Connection;

fn ledger(shop: &Shop) -> Connection {
    Connection::open(shop.data().join("ledger.sqlite")).unwrap()
}

fn payments(shop: &Shop) -> i64 {
    ledger(shop).query_row("select count(*) from payments", [], |row| row.get(0)).unwrap()
}

/// Where the bytes are in a file.
fn places(file: &Path, sought: &[u8]) -> Vec<usize> {
    let bytes = std::fs::read(file).unwrap();
    bytes.windows(sought.len()).enumerate().filter(|(_, window)| *window == sought).map(|(at, _)| at).collect()
}

fn flip(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[at] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

/// With three payments in the ledger and nothing in the queue.
fn shop() -> (Shop, Up) {
    let shop = Shop::new();
    let up = shop.up();
    for name in ["one", "two", "three"] {
        assert!(shop.deliver(up.ingress, &Shop::paid(name, 500)).is_acknowledged());
    }
    wait_until("all three are there", || payments(&shop) == 3);
    (shop, up)
}

#[test]
fn what_is_whole_is_read_to_its_end_and_nothing_is_found_beside_a_running_process_and_without_one() {
    let (shop, up) = shop();
    let said = shop.run(&["check", "--deep"]).expect(0).out;
    assert!(said.contains("3 receipts read again") && said.contains("nothing is damaged"), "{said}");
    assert_eq!(up.terminate().0, 0);
    let said = shop.run(&["check", "--deep", "--json"]).expect(0).json();
    assert_eq!(said["flaws"], serde_json::json!([]), "{said}");
}

#[test]
fn a_bit_flipped_in_what_the_ledger_holds_of_a_payment_is_found_wherever_it_is() {
    let (shop, up) = shop();
    assert_eq!(up.terminate().0, 0);
    // What was deleted is still in the file, and what is announced to others is compared with nothing.
    ledger(&shop).execute_batch("delete from outbox; vacuum").unwrap();
    let file = shop.data().join("ledger.sqlite");
    let places = places(&file, b"pi_two");
    assert!(places.len() >= 4, "{places:?}");
    for at in places {
        flip(&file, at + 3);
        let said = shop.run(&["check", "--deep"]);
        flip(&file, at + 3);
        let said = said.expect(1);
        assert!(said.out.contains("ledger") && said.err.contains("found"), "{at}: {}{}", said.out, said.err);
    }
    shop.run(&["check", "--deep"]).expect(0);
}

#[test]
fn what_is_damaged_in_the_queue_is_named_and_up_does_not_start_over_it() {
    let (shop, up) = shop();
    let held = ledger(&shop);
    held.execute_batch("begin immediate").unwrap();
    for name in ["four", "five", "six"] {
        assert!(shop.deliver(up.ingress, &Shop::paid(name, 500)).is_acknowledged());
    }
    up.kill_nine();
    held.execute_batch("rollback").unwrap();
    let log = shop.data().join("queue.sqlite-wal");
    let at = places(&log, b"pi_four")[0];
    flip(&log, at);
    let said = shop.run(&["check", "--deep"]).expect(1).out;
    assert!(said.contains("queue.sqlite-wal") && said.contains("damaged at byte"), "{said}");
    let refused = shop.run(&["up"]).expect(3).err;
    assert!(refused.contains("queue.sqlite-wal") && refused.contains("truncate -s"), "{refused}");
    flip(&log, at);
    let up = shop.up();
    wait_until("all six are there", || payments(&shop) == 6);
    shop.run(&["check", "--deep"]).expect(0);
    assert_eq!(up.terminate().0, 0);
}
