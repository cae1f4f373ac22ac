//! Every command on a ledger in Postgres, and what is said about one.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_tests::{Served, Shop, afluente, wait_until};
use serde_json::Value;

/// What `doctor` says about a topic: its weight.
fn weight(said: &Value, topic: &str) -> String {
    let finding = said.as_array().unwrap().iter().find(|finding| finding["topic"] == topic).unwrap();
    finding["weight"].as_str().unwrap().to_owned()
}

#[test]
fn every_command_works_on_a_ledger_in_postgres() {
    let served = Served::new();
    let shop = &served.shop;
    shop.run(&["migrate", "--check"]).expect(1);
    let up = shop.up();
    for name in ["a", "b", "c"] {
        assert!(shop.deliver(up.ingress, &Shop::paid(name, 500)).is_acknowledged());
    }
    assert!(shop.deliver(up.ingress, br#"{"id":"evt_x","object":"event","type":"charge.updated""#).is_acknowledged());
    wait_until("all four are handled", || {
        served.count("select count(*) from afluente.payments") == 3
            && served.count("select count(*) from afluente.dead_letters") == 1
    });
    shop.run(&["migrate", "--check"]).expect(0);
    let listed = shop.run(&["payments", "list", "--json"]).expect(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    let shown = shop.run(&["payments", "show", "pi_a"]).expect(0);
    assert!(shown.out.contains("SUCCEEDED") && shown.out.contains("evt_a"), "{}", shown.out);
    shop.run(&["wants", "list"]).expect(0);
    let nobody = shop.run(&["customers", "show", "nobody@example.com"]).expect(1);
    assert!(nobody.err.contains("customers list"), "{}", nobody.err);
    shop.run(&["customers", "list"]).expect(0);
    let split = ["customers", "split", "nobody@example.com", "--merchant", "default", "--because", "never one of ours"];
    assert!(shop.run(&split).expect(0).out.contains("nobody moved"));
    assert!(shop.run(&["customers", "decisions"]).expect(0).out.contains("never one of ours"));
    shop.run(&["gaps", "list"]).expect(0);
    assert!(shop.run(&["gaps", "repair"]).expect(0).out.contains("0 gaps made good"));
    assert!(shop.run(&["rebuild", "--check"]).expect(0).out.contains("0 differences"));
    let letters = shop.run(&["dead", "list", "--json"]).expect(0).json();
    let id = letters[0]["id"].as_str().unwrap().to_owned();
    shop.run(&["dead", "show", &id]).expect(0);
    shop.run(&["dead", "discard", &id, "--because", "cut off by the sender"]).expect(0);
    assert_eq!(served.ask("select state from afluente.dead_letters"), "DISCARDED");
    // Somebody changes a row by hand.
    let _ = served.ask("update afluente.payments set captured_amount = 400 where provider_payment_id = 'pi_b'");
    shop.run(&["rebuild", "--check"]).expect(1);
    shop.run(&["rebuild", "--apply", "--yes"]).expect(0);
    shop.run(&["rebuild", "--check"]).expect(0);
    let said = shop.run(&["doctor", "--json"]).expect(0).json();
    for topic in ["schema", "writes", "rights", "search_path", "durability", "partitions", "clock"] {
        assert_eq!(weight(&said, topic), "fine", "{topic}: {said}");
    }
    partitions_go_when_they_are_old(&served);
    // Going back beside a running process is refused.
    shop.run(&["migrate", "--down", "1", "--yes"]).expect(3);
    assert_eq!(up.terminate().0, 0);
}

/// Beside a running process.
fn partitions_go_when_they_are_old(served: &Served) {
    let shop = &served.shop;
    let _ = served.ask("set role shop; set search_path = afluente; select make_partitions('2026-01-07', 0, 0)");
    let listed = shop.run(&["partitions", "list", "--json"]).expect(0).json();
    assert_eq!(listed[0]["name"], "webhook_receipts_2026w02", "{listed}");
    assert!(listed[0]["until"].as_str().unwrap().starts_with("2026-01-12T00:00:00"), "{listed}");
    let current = listed[1]["name"].as_str().unwrap();
    assert!(shop.run(&["partitions", "drop", current, "--yes"]).expect(1).err.contains("can be dropped in"));
    assert!(shop.run(&["partitions", "drop", "payments", "--yes"]).expect(2).err.contains("partitions list"));
    assert!(shop.run(&["partitions", "drop", "webhook_receipts_2026w02"]).expect(2).err.contains("--yes"));
    shop.run(&["partitions", "drop", "webhook_receipts_2026w02", "--yes"]).expect(0);
    let left = shop.run(&["partitions", "list"]).expect(0).out;
    assert!(!left.contains("2026w02") && left.contains("webhook_receipts_default"), "{left}");
}

#[test]
fn the_schema_goes_back_and_forth_under_data_and_two_who_migrate_at_once_do_not_meet() {
    let served = Served::new();
    let shop = &served.shop;
    let data = shop.data();
    let migrate = || afluente(["migrate", "--json", "--data", data.to_str().unwrap()]).spawn();
    let both: Vec<_> = [migrate(), migrate()].into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    assert!(both.iter().all(|ended| ended.status.success()), "{both:?}");
    let up = shop.up();
    assert!(shop.deliver(up.ingress, &Shop::paid("a", 500)).is_acknowledged());
    wait_until("it is there", || served.count("select count(*) from afluente.payments") == 1);
    assert_eq!(up.terminate().0, 0);
    shop.run(&["migrate", "--down", "1"]).expect(2);
    shop.run(&["migrate", "--down", "1", "--yes"]).expect(0);
    assert!(shop.run(&["migrate", "--check"]).expect(1).err.contains("behind by 11"));
    assert_eq!(weight(&shop.run(&["doctor", "--json"]).expect(0).json(), "schema"), "note");
    // Whoever only looks does not touch it, whoever works brings it up to date.
    assert!(shop.run(&["payments", "list"]).expect(3).err.contains("migrations"));
    let up = shop.up();
    assert!(shop.run(&["rebuild", "--check"]).expect(0).out.contains("1 payment"));
    assert_eq!(up.terminate().0, 0);
    let _ = served.ask(
        "insert into afluente._sqlx_migrations (version, description, success, checksum, execution_time) \
         values (99, 'newer', true, '\\x00', 0)",
    );
    let refused = shop.run(&["up"]).expect(3);
    assert!(refused.err.contains("migrations") && refused.err.contains("99"), "{}", refused.err);
    assert!(shop.run(&["migrate", "--check"]).expect(1).err.contains("newer version"));
}

#[test]
fn a_change_of_the_schema_that_a_transaction_deadlocks_with_is_made_all_the_same() {
    let served = Served::new();
    served.shop.run(&["migrate"]).expect(0);
    // It holds what is taken back last, and once that is waited for wants what was taken back first. The change is found
    // out before it is.
    let meet = "do $$ begin set local deadlock_timeout = '60s'; lock table afluente.payment_names; \
                while not exists (select from pg_locks where relation = 'afluente.payment_names'::regclass and not granted) \
                loop perform pg_sleep(0.01); end loop; \
                lock table afluente.relations; end $$";
    let mut psql = std::process::Command::new("psql");
    let mut other = psql.args(["-X", "-q", "-d", &served.server.url("shop"), "-c", meet]).spawn().unwrap();
    let held = "select count(*) from pg_locks where relation = 'afluente.payment_names'::regclass and granted \
                and mode = 'AccessExclusiveLock'";
    wait_until("it holds the table", || served.count(held) == 1);
    served.shop.run(&["migrate", "--down", "10", "--yes"]).expect(0);
    assert!(other.wait().unwrap().success());
    wait_until("the server told of it", || {
        served.count("select deadlocks from pg_stat_database where datname = 'shop'") >= 1
    });
    assert!(served.shop.run(&["migrate"]).expect(0).out.contains("went from 1 to"));
}

#[test]
fn doctor_names_what_loses_data_and_what_is_not_there() {
    let served =
        Served::on(afluente_testkit::Server::start_with(&["full_page_writes=off", "synchronous_commit=off"]), None);
    let shop = &served.shop;
    assert_eq!(weight(&shop.run(&["doctor", "--json"]).expect(1).json(), "durability"), "wrong");
    drop(shop.up());
    let found = shop.run(&["doctor"]).expect(1);
    for expected in ["full_page_writes = off", "synchronous_commit = off", "set synchronous_commit = on"] {
        assert!(found.out.contains(expected), "{}", found.out);
    }
    let nowhere = Shop::with("[ledger]\nurl = \"postgres://nobody@127.0.0.1:1/nothing\"\n");
    let found = nowhere.run(&["doctor"]).expect(1);
    assert!(found.out.contains("127.0.0.1:1/nothing") && found.out.contains("server runs"), "{}", found.out);
    assert!(nowhere.run(&["up"]).expect(3).err.contains("127.0.0.1:1/nothing"));
}

#[test]
fn bench_measures_the_worker_and_the_whole_way_on_either_database() {
    let served = Served::new();
    let url = served.server.url("postgres");
    for ledger in [&["--ledger", "sqlite"][..], &["--ledger", "postgres", "--url", &url]] {
        let bench = |args: &[&str]| served.shop.run(&[&["bench"], args, ledger, &["--json"]].concat()).expect(0).json();
        let runs = bench(&["worker", "--batch", "16", "--workers", "1", "--deliveries", "100"]);
        assert_eq!(runs[0]["deliveries"], 100, "{runs}");
        assert!(runs[0]["rate"].as_f64().unwrap() > 0.0 && runs[0]["commits"].as_u64().unwrap() >= 7, "{runs}");
        let path = bench(&["path", "--rate", "100", "--seconds", "1"]);
        assert_eq!(path["deliveries"], 100, "{path}");
        assert!(path["path"][1]["p99_ms"].as_f64().unwrap() > 0.0, "{path}");
    }
    // Its databases are gone again.
    let databases = "select count(*) from pg_database where not datistemplate";
    assert_eq!(served.server.psql(databases), "2", "{}", served.server.psql("select datname from pg_database"));
    served.shop.run(&["bench", "path", "--ledger", "postgres"]).expect(2);
}
