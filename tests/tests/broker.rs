//! Several processes with a broker in between: nothing acknowledged is lost, nothing is doubled.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use afluente_testkit::{Broker, Proxy, at_full_length};
use afluente_tests::{Brokered, Load, Shop, Up, afluente, wait_until};

#[test]
fn several_of_each_role_share_the_work_and_survive_kill_nine() {
    let site = Brokered::new();
    let workers = [site.worker(), site.worker()];
    let (one, two) = (site.ingress(), site.ingress());
    let load = Load::new(&site.shop, &one.1);
    load.spread_over(&[one.1.ingress, two.1.ingress]);
    let mut ingress = [Some(one), Some(two)];
    let mut workers = workers.map(Some);
    load.run(|| {
        for round in 0..4 {
            let before = load.acknowledged();
            wait_until("more was acknowledged", || load.acknowledged() >= before + 60);
            if round % 2 == 0 {
                workers[round / 2].take().unwrap().kill_nine();
                workers[round / 2] = Some(site.worker());
            } else {
                let (shop, up) = ingress[round / 2].take().unwrap();
                up.kill_nine();
                let up = Up::start_role("ingress", &shop.data());
                ingress[round / 2] = Some((shop, up));
                let addresses = ingress.iter().flatten().map(|(_, up)| up.ingress).collect::<Vec<_>>();
                load.spread_over(&addresses);
            }
        }
        let before = load.acknowledged();
        wait_until("it goes on", || load.acknowledged() >= before + 60);
    });
    site.has(&load.names());
    for (_, up) in ingress.into_iter().flatten() {
        assert!(up.metrics().contains("afluente_broker_up{link=\"publish\"} 1"));
        assert_eq!(up.terminate().0, 0);
    }
    for worker in workers.into_iter().flatten() {
        assert!(worker.metrics().contains("afluente_broker_up{link=\"consume\"} 1"));
        assert_eq!(worker.terminate().0, 0);
    }
}

#[test]
fn an_ingress_killed_with_a_full_spool_sends_it_when_it_is_back() {
    let mut broker = Broker::start();
    let site = Brokered::on(&broker);
    let worker = site.worker();
    let (shop, up) = site.ingress();
    broker.kill_nine();
    wait_until("it spools", || up.get("/readyz").contains("wait in the spool"));
    assert!(up.get("/readyz").starts_with("HTTP/1.1 200"), "it receives all the same");
    wait_until("nothing can be worked on", || worker.get("/readyz").starts_with("HTTP/1.1 503"));
    let names: BTreeSet<String> = (0..20).map(|number| format!("spooled{number}")).collect();
    for name in &names {
        assert!(site.shop.deliver(up.ingress, &Shop::paid(name, 1_000)).is_acknowledged());
    }
    assert!(shop.run(&["spool", "status"]).expect(0).out.starts_with("20 messages in "));
    up.kill_nine();
    broker.again();
    let up = Up::start_role("ingress", &shop.data());
    site.has(&names);
    assert!(shop.run(&["spool", "status"]).expect(0).out.starts_with("0 messages in "));
    drop(up);
}

#[test]
fn two_operators_replay_one_reason_while_traffic_flows_and_each_letter_goes_once() {
    let site = Brokered::new();
    let (worker, (_shop, up)) = (site.worker(), site.ingress());
    let early = |number: usize| {
        let body = String::from_utf8(Shop::paid(&format!("early{number}"), 500)).unwrap();
        let (before, after) = body.split_once("\"created\":").unwrap();
        let (created, rest) = after.split_once(',').unwrap();
        format!("{before}\"created\":{},{rest}", created.parse::<i64>().unwrap() + 3_600)
    };
    for number in 0..20 {
        assert!(site.shop.deliver(up.ingress, early(number).as_bytes()).is_acknowledged());
        let cut_off = format!("{{\"id\":\"evt_cut{number}\"");
        assert!(site.shop.deliver(up.ingress, cut_off.as_bytes()).is_acknowledged());
        site.publish_garbage(&format!("garbage {number}"));
    }
    let open = "select count(*) from dead_letters where state = 'OPEN'";
    wait_until("all are buried", || site.count(open) == 60);
    let groups = site.shop.run(&["dead", "list", "--group", "--json"]).expect(0).json();
    let stakes: BTreeSet<(&str, i64)> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (group["reason"].as_str().unwrap(), group["minor_units"]["BRL"].as_i64().unwrap_or(0)))
        .collect();
    assert_eq!(stakes, BTreeSet::from([("future_dated", 10_000), ("malformed", 0), ("undecodable", 0)]));
    let on_the_page = |letters: u32, money: u32, without: u32| {
        let page = worker.get("/metrics");
        page.contains(&format!("afluente_dead_letters_open{{gateway=\"stripe\"}} {letters}\n"))
            && page.contains(&format!("afluente_dead_letters_money{{gateway=\"stripe\",currency=\"BRL\"}} {money}\n"))
            && page.contains(&format!("afluente_dead_letters_without_amount{{gateway=\"stripe\"}} {without}\n"))
    };
    wait_until("who scrapes sees the letters and their money", || on_the_page(60, 100, 40));
    let dry = site.shop.run(&["dead", "replay", "--reason", "future_dated", "--dry-run"]).expect(0);
    assert_eq!(dry.out.matches("payment_intent.succeeded").count(), 20, "{}", dry.out);
    assert_eq!(site.count(open), 60, "a look changes nothing");

    let load = Load::new(&site.shop, &up);
    let replay = || {
        site.shop
            .run(&["dead", "replay", "--reason", "future_dated", "--since", "1h", "--rate", "0", "--json"])
            .expect(0)
            .json()
    };
    let mut reports = Vec::new();
    load.run(|| {
        wait_until("traffic flows", || load.acknowledged() >= 30);
        std::thread::scope(|scope| {
            let both = [scope.spawn(replay), scope.spawn(replay)];
            reports = both.map(|one| one.join().unwrap()).to_vec();
        });
        let before = load.acknowledged();
        wait_until("traffic flows on", || load.acknowledged() >= before + 30);
    });
    let done: Vec<&str> =
        reports.iter().flat_map(|report| report["done"].as_array().unwrap()).map(|id| id.as_str().unwrap()).collect();
    assert_eq!((done.len(), done.iter().collect::<BTreeSet<_>>().len()), (20, 20), "{reports:?}");
    wait_until("they are applied", || site.count("select count(*) from payments where captured_amount = 500") == 20);
    assert_eq!(site.count(open), 40, "exactly those");
    wait_until("who scrapes sees that no money waits", || on_the_page(40, 0, 40));
    site.has(&load.names());
    let exported = site.shop.run(&["dead", "export", "--reason", "malformed", "--with-bodies"]).expect(0);
    assert_eq!(exported.out.lines().filter(|line| line.contains("\"body_base64\":\"eyJpZCI6ImV2dF9jdXQ")).count(), 20);
    drop(worker);
}

#[test]
fn a_role_alone_needs_a_broker_and_says_so() {
    let shop = Shop::new();
    for role in ["ingress", "worker"] {
        let refused = shop.run(&[role]).expect(2);
        assert!(refused.err.contains("expected [queue] url or AMQP_URL"), "{refused:#?}");
    }
}

/// What the doctor says of a topic, with how much it matters.
fn doctor(site: &Brokered, topic: &str) -> (String, String) {
    let said = site.shop.run(&["doctor", "--json"]).json();
    let found = said.as_array().unwrap().iter().find(|one| one["topic"] == topic).unwrap_or_else(|| panic!("{said}"));
    (found["weight"].as_str().unwrap().to_owned(), found["says"].as_str().unwrap().to_owned())
}

#[test]
fn the_doctor_sees_what_is_wrong_with_a_broker() {
    let mut broker = Broker::start();
    let site = Brokered::on(&broker);
    assert_eq!(doctor(&site, "queues").0, "note", "they are not there yet");
    let worker = site.worker();
    assert_eq!(doctor(&site, "queues"), ("fine".to_owned(), "17 queues with the arguments we need".to_owned()));
    assert!(doctor(&site, "workers").1.starts_with("1 worker taking"));
    assert_eq!(doctor(&site, "alarms").0, "fine");
    broker.ctl(&["set_vm_memory_high_watermark", "0.00001"]);
    let (weight, says) = doctor(&site, "alarms");
    assert!(weight == "wrong" && says.contains("memory"), "{weight}: {says}");
    broker.ctl(&["set_vm_memory_high_watermark", "0.4"]);
    drop(worker);

    site.shop.private("queue.url", &site.corner.url().replace("guest:guest", "weak:word"));
    assert!(doctor(&site, "broker").1.contains("ACCESS_REFUSED"), "no such user");
    broker.ctl(&["add_user", "weak", "word"]);
    broker.ctl(&["set_permissions", "weak", "^$", ".*", ".*"]);
    let (weight, says) = doctor(&site, "queues");
    assert!(weight == "wrong" && says.contains("ACCESS_REFUSED") && says.contains("configure"), "{weight}: {says}");
    broker.stop();
    assert_eq!(doctor(&site, "broker").0, "wrong");
}

#[test]
fn the_doctor_sees_policies_where_the_broker_s_management_listens() {
    let broker = Broker::start_with_management();
    let site = Brokered::on(&broker);
    let (weight, says) = doctor(&site, "policies");
    assert!(weight == "note" && says.contains("management_url is not set"), "{weight}: {says}");
    site.shop.configure("[queue]", &format!("[queue]\nmanagement_url = \"{}\"", broker.management_url()));
    let worker = site.worker();
    assert_eq!(doctor(&site, "policies"), ("fine".to_owned(), "none on our queues".to_owned()));
    broker.ctl(&["set_policy", "tidy", "stripe$", "{\"max-length\":5}", "--apply-to", "queues"]);
    // Management tells of a policy once it has looked again.
    wait_until("the policy is seen", || doctor(&site, "policies").0 == "wrong");
    assert_eq!(doctor(&site, "policies").1, format!("max-length on {} by tidy", site.corner.queue("stripe")));
    broker.ctl(&["clear_policy", "tidy"]);
    wait_until("it is gone", || doctor(&site, "policies").0 == "fine");

    broker.ctl(&["set_user_tags", "guest"]);
    let (weight, says) = doctor(&site, "policies");
    assert!(weight == "note" && says.contains("401") && says.contains("monitoring"), "{weight}: {says}");
    site.shop.configure(&broker.management_url(), "http://127.0.0.1:1");
    let (weight, says) = doctor(&site, "policies");
    assert!(weight == "note" && says.contains("http://127.0.0.1:1/ does not tell"), "{weight}: {says}");
    drop(worker);
}

/// One that takes back what is not acknowledged within so long.
fn impatient_broker(patience: Duration) -> Broker {
    let broker = Broker::start();
    broker.ctl(&[
        "eval",
        &format!(
            "[application:set_env(rabbit, K, V) || {{K, V}} <- [{{consumer_timeout, {}}}, {{channel_tick_interval, 500}}]].",
            patience.as_millis()
        ),
    ]);
    broker
}

#[test]
fn a_worker_stopped_past_the_broker_s_patience_goes_on_and_doubles_nothing() {
    let broker = impatient_broker(at_full_length(3, 15));
    let site = Brokered::on(&broker);
    let (worker, (_shop, up)) = (site.worker(), site.ingress());
    let load = Load::new(&site.shop, &up);
    load.run(|| {
        for _ in 0..2 {
            let before = load.acknowledged();
            wait_until("traffic flows", || load.acknowledged() >= before + 40);
            worker.signal("STOP");
            wait_until("it waits for the worker", || load.acknowledged() >= before + 120);
            wait_until("the broker has lost its patience", || site.consumers() == 0);
            worker.signal("CONT");
        }
    });
    site.has(&load.names());
    assert!(worker.get("/readyz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_ledger_that_hangs_past_the_broker_s_patience_loses_and_doubles_nothing() {
    let broker = impatient_broker(at_full_length(3, 15));
    let site = Brokered::on(&broker);
    let (worker, (_shop, up)) = (site.worker(), site.ingress());
    let load = Load::new(&site.shop, &up);
    load.run(|| {
        wait_until("traffic flows", || load.acknowledged() >= 40);
        let held = site.hold_the_ledger();
        wait_until("the worker waits for the ledger", || held.is_wanted());
        std::thread::sleep(at_full_length(12, 40));
        held.let_go();
        let before = load.acknowledged();
        wait_until("traffic flows on", || load.acknowledged() >= before + 40);
    });
    site.has(&load.names());
    drop(worker);
}

#[test]
fn a_worker_killed_between_the_ledger_s_commit_and_its_acknowledgement_doubles_nothing() {
    let site = Brokered::new();
    let network = Proxy::to(site.corner.port());
    let ((_, worker), (_shop, up)) = (site.worker_through(&network), site.ingress());
    let held = site.hold_the_ledger();
    let names: BTreeSet<String> = (0..5).map(|number| format!("between{number}")).collect();
    for name in &names {
        assert!(site.shop.deliver(up.ingress, &Shop::paid(name, 1_000)).is_acknowledged());
    }
    wait_until("the worker stands before its transaction", || held.is_wanted());
    // It may commit from now on, and no acknowledgement leaves this machine.
    network.go_silent();
    held.let_go();
    wait_until("the ledger has committed", || !site.events().is_empty());
    worker.kill_nine();
    network.cut();
    let worker = site.worker();
    site.has(&names);
    let again = "select sum(deliveries)::bigint from webhook_dedupe";
    wait_until("what came again is counted", || site.count(again) > 5);
    assert_eq!(site.count("select count(*) from payments where row_version <> 1"), 0, "it changed nothing");
    drop(worker);
}

#[test]
fn poison_of_every_kind_among_good_ones_is_buried_and_the_good_are_applied() {
    let site = Brokered::new();
    let (_shop, up) = site.ingress();
    let mut names = BTreeSet::new();
    let broken_seal = r#"{"version":1,"id":"019a0000-0000-7000-8000-000000000001","gateway":"stripe","account":"shop","received_at_micros":1790000000000000,"proof":"signed","proof_detail":"00c0ffee","headers":[],"query":null,"traceparent":null,"released_by":null,"body_sha256":"SHA","seal":"SEAL"}"#
        .replace("SHA", &"0".repeat(64))
        .replace("SEAL", &"1".repeat(64));
    for number in 0..1_000 {
        match number {
            20 => site.publish_garbage("nothing of ours"),
            300 => site.publish_with_head(&broken_seal, "{}"),
            500 => site.publish_with_head(r#"{"version":0,"id":"of long ago"}"#, "{}"),
            700 => assert!(site.shop.deliver(up.ingress, b"{\"id\":\"evt_cut").is_acknowledged()),
            _ => {}
        }
        let name = format!("good{number}");
        assert!(site.shop.deliver(up.ingress, &Shop::paid(&name, 1_000)).is_acknowledged());
        names.insert(name);
    }
    let worker = site.worker();
    site.has(&names);
    wait_until("the poison is buried", || site.count("select count(*) from dead_letters where state = 'OPEN'") == 4);
    let because = site.dead_because();
    for part in [
        "got 0 bytes of something else",
        "the seal does not hold",
        "expected a head of version 1, got 0",
        "malformed: ",
    ] {
        assert!(because.iter().any(|why| why.contains(part)), "{part} is not in {because:#?}");
    }
    drop(worker);
}

#[test]
fn bench_measures_ingress_on_either_queue_beside_bare_programs_and_leaves_nothing_on_the_broker() {
    let broker = Broker::start();
    for (queue, servers) in [
        ("embedded", ["hyper alone", "hyper + HMAC + fsync", "afluente, embedded"]),
        ("rabbit", ["hyper alone", "hyper + HMAC + confirm", "afluente, RabbitMQ"]),
    ] {
        let args = ["bench", "ingress", "--queue", queue, "--connections", "4", "--seconds", "1", "--json"];
        let printed = afluente(args).env("AMQP_URL", &broker.url()).run().expect(0).json();
        let figures = printed["figures"].as_array().unwrap();
        let measured: Vec<&str> = figures.iter().map(|one| one["server"].as_str().unwrap()).collect();
        assert_eq!(measured, servers);
        for figure in figures {
            assert!(figure["rate"].as_f64().unwrap() > 0.0 && figure["core_us"].as_f64().unwrap() > 0.0, "{figure}");
            assert!(figure["peak_rss_mb"].as_u64().unwrap() > 0 && figure["refused"] == 0, "{figure}");
        }
    }
    assert_eq!(broker.ctl(&["list_queues", "name"]).trim(), "");
    assert!(!broker.ctl(&["list_exchanges", "name"]).contains("afluente"));
    let without = afluente(["bench", "ingress", "--queue", "rabbit"]).run().expect(2);
    assert!(without.err.contains("AMQP_URL"), "{}", without.err);
}
