//! System clocks that are wrong, and that step: nothing acknowledged is lost, nothing is doubled, and the rows are those that
//! right clocks would have made.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_tests::{Brokered, Clock, Load, Shop, Up, wait_until};

const HOUR: i64 = 3_600;

#[test]
fn workers_whose_clocks_are_an_hour_apart_write_the_same_rows() {
    let (site, ahead, behind) = (Brokered::new(), Clock::new(), Clock::new());
    ahead.is_off_by(HOUR);
    behind.is_off_by(-HOUR);
    let worker = |clock: &Clock| Up::start_with("worker", &site.shop.data(), &clock.variables());
    let (one, two) = (worker(&ahead), worker(&behind));
    let (_shop, up) = site.ingress();
    let load = Load::new(&site.shop, &up);
    load.run(|| {
        wait_until("both work", || load.acknowledged() >= 100);
        // Each becomes the other while it works.
        ahead.is_off_by(-HOUR);
        behind.is_off_by(HOUR);
        let before = load.acknowledged();
        wait_until("both work on", || load.acknowledged() >= before + 100);
    });
    site.has(&load.names());
    assert_eq!(site.count("select count(*) from dead_letters"), 0, "what is not early is not taken for early");
    assert_eq!(site.count("select count(*) from payments where row_version <> 1 or captured_amount <> 1000"), 0);
    let hours = "select count(distinct date_trunc('hour', updated_at))::bigint from payments";
    assert!(site.count(hours) >= 2, "their clocks were as far apart as they should have been");
    drop((one, two));
}

#[test]
fn an_ingress_whose_clock_steps_refuses_what_it_cannot_trust_and_takes_it_once_the_clock_is_right() {
    let (shop, clock) = (Shop::new(), Clock::new());
    let up = Up::start_with("up", &shop.data(), &clock.variables());
    let deliver = |name: &str| shop.deliver(up.ingress, &Shop::paid(name, 1_000)).status;
    assert_eq!(deliver("before"), 200);
    for (name, hours) in [("ahead", 1), ("behind", -1)] {
        clock.is_off_by(hours * HOUR);
        assert_eq!(deliver(name), 400, "signed an hour from now: the gateway is to send it again");
        assert!(up.get("/readyz").starts_with("HTTP/1.1 200"), "what it has is worked on");
        clock.is_off_by(0);
        assert_eq!(deliver(name), 200);
    }
    let stored = || shop.receipts().len() == 3;
    wait_until("all are in the ledger", stored);
    assert_eq!(up.terminate().0, 0);
}

#[test]
fn what_waits_in_the_queue_waits_no_hour_longer_when_the_clock_steps_back() {
    let (shop, clock) = (Shop::new(), Clock::new());
    clock.is_off_by(HOUR);
    let up = Up::start_with("up", &shop.data(), &clock.variables());
    let held = shop.hold("ledger.sqlite");
    let stamp = afluente_tests::unix_now() + HOUR;
    let delivered = |name: &str| shop.deliver_signed_at(stamp, up.ingress, &Shop::paid(name, 1_000)).status;
    assert_eq!(delivered("stored"), 200);
    clock.is_off_by(0);
    up.kill_nine();
    drop(held);
    let up = Up::start_with("up", &shop.data(), &clock.variables());
    wait_until("it is in the ledger", || shop.receipts().len() == 1);
    assert_eq!(up.terminate().0, 0);
}
