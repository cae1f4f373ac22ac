//! What is shipped beside the binary speaks of what the binary has.

#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use afluente_testkit::{Broker, Database};
use afluente_tests::{Brokered, Shop, Up, afluente, binary, wait_until};
use serde_json::Value;

/// A name with its labels, as Prometheus writes both rules and samples: `name{label="value"}`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    name: String,
    labels: Vec<(String, String)>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn text_of(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap()
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
        // Whoever scrapes adds these two; the board puts a variable where a choice is.
        let ours =
            |(label, value): &&(String, String)| !["instance", "job"].contains(&&**label) && !value.starts_with('$');
        for (label, values) in series.labels.iter().filter(ours) {
            let has = |one: &&Series, pattern: &str| {
                one.labels.iter().any(|(name, value)| name == label && is_asked(pattern, value))
            };
            let unseen = values.split('|').filter(|pattern| !named.iter().any(|one| has(one, pattern)));
            missing.extend(unseen.map(|pattern| format!("{}{{{label}=\"{pattern}\"}}", series.name)));
        }
    }
    missing
}

/// Every query of a board.
fn queries(board: &Value) -> Vec<String> {
    match board {
        Value::Object(object) => {
            let asked = ["expr", "query"].iter().filter_map(|key| object.get(*key)?.as_str()).map(str::to_owned);
            asked.chain(object.values().flat_map(queries)).collect()
        }
        Value::Array(list) => list.iter().flat_map(queries).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_series_in_rules_and_on_the_board_is_on_a_page_after_one_delivery() {
    let site = Brokered::new();
    let (worker, (_shop, up)) = (site.worker(), site.ingress());
    // With something in it that is no address and costs nothing but a note.
    let body =
        String::from_utf8(Shop::paid("seen", 1_000)).unwrap().replace("\"amount\":", "\"receipt_email\":7,\"amount\":");
    assert!(site.shop.deliver(up.ingress, body.as_bytes()).is_acknowledged());
    let alone = Shop::new();
    let whole = alone.up();
    wait_until("it was worked on", || worker.metrics().contains("afluente_worker_lag_seconds"));
    wait_until("gaps were looked for", || worker.metrics().contains("afluente_dual_write_gaps_open"));
    let pages = [worker.metrics(), up.metrics(), whole.metrics()].concat();
    let there = series_in(&pages);
    assert!(there.len() > 100, "{there:?}");
    assert_eq!(missing(&series_in(&text_of("alerts.yml")), &there), [""; 0]);
    let board: Value = serde_json::from_str(&text_of("grafana/afluente.json")).unwrap();
    let queries = queries(&board);
    assert!(queries.len() > 30, "{queries:?}");
    assert_eq!(missing(&series_in(&queries.join("\n")), &there), [""; 0]);
}

#[test]
fn the_broker_s_definitions_give_the_rights_that_are_needed_and_no_others() {
    let broker = Broker::start();
    let definitions = folder().join("rabbitmq/definitions.json");
    broker.ctl(&["import_definitions", definitions.to_str().unwrap()]);
    broker.ctl(&["change_password", "afluente", "a-password"]);
    let shop = Shop::with("[queue]\nurl = { file = \"queue.url\" }\n");
    shop.private("queue.url", &format!("amqp://afluente:a-password@127.0.0.1:{}/afluente", broker.port()));
    let up = shop.up();
    assert!(shop.deliver(up.ingress, &Shop::paid("over_there", 700)).is_acknowledged());
    wait_until("the payment is there", || shop.run(&["payments", "show", "pi_over_there"]).code == 0);
    let queues = broker.ctl(&["list_queues", "-p", "afluente", "name", "type", "policy"]);
    assert!(queues.contains("afluente.stripe\tquorum\t\n"), "{queues}");
    // Another prefix is another application's.
    let other = shop.copy();
    other.configure("[queue]\n", "[queue]\nprefix = \"other\"\n");
    let up = other.up();
    wait_until("it is refused", || up.get("/readyz").contains("access to exchange 'other."));
    assert!(shop.deliver(up.ingress, &Shop::paid("kept", 700)).is_acknowledged(), "into the spool");
    assert!(!broker.ctl(&["list_queues", "-p", "afluente", "name"]).contains("other."));
}

/// The files under a folder, by their path in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_is_made_for_containers_is_a_deployment_that_works_and_nobody_else_can_read() {
    let copy = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp").arg("-r").arg(folder()).arg(copy.path().join("deploy")).status();
    assert!(copied.unwrap().success());
    let container = copy.path().join("deploy/container");
    let _ = std::fs::remove_dir_all(container.join("state"));
    let start = || {
        let made = std::process::Command::new(container.join("start")).env("COMPOSE", "true").output().unwrap();
        assert!(made.status.success(), "{made:?}");
    };
    start();
    let state = container.join("state");
    let held =
        || files(&state).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect::<Vec<_>>();
    let before = held();
    start();
    assert!(held() == before, "a second start changes nothing");
    for path in files(&state) {
        let others = std::fs::metadata(&path).unwrap().permissions().mode() & 0o077;
        assert!(others == 0 || path.parent() == Some(&*state), "{}", path.display());
    }

    let broker = Broker::start();
    // The broker runs as a user of its own, who sees no folder of ours.
    let definitions = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(state.join("definitions.json"), definitions.path()).unwrap();
    broker.ctl(&["import_definitions", definitions.path().to_str().unwrap()]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(Database::create());
    let listens = [("AFLUENTE_INGRESS_LISTEN", "127.0.0.1:0"), ("AFLUENTE_ADMIN_LISTEN", "127.0.0.1:0")];
    let roles = ["worker1", "ingress1", "ingress2"].map(|name| {
        let folder = state.join(name);
        let queue = folder.join("secrets/queue.url");
        let url = std::fs::read_to_string(&queue).unwrap();
        std::fs::write(&queue, url.replace("rabbitmq:5672", &format!("127.0.0.1:{}", broker.port()))).unwrap();
        std::fs::write(folder.join("secrets/ledger.url"), database.url()).unwrap();
        Up::start_with(name.trim_end_matches(|c: char| c.is_ascii_digit()), &folder, &listens)
    });
    let mut sender = Shop::new();
    sender.secret = std::fs::read_to_string(state.join("secrets/stripe-shop")).unwrap().trim().to_owned();
    for (name, up) in [("one", &roles[1]), ("other", &roles[2])] {
        assert!(sender.deliver(up.ingress, &Shop::paid(name, 700)).is_acknowledged());
        let worker = state.join("worker1");
        let shown = || afluente(["payments", "show", &format!("pi_{name}"), "--data", worker.to_str().unwrap()]).run();
        wait_until("the payment is there", || shown().code == 0);
    }
}

#[test]
fn every_rule_has_a_test() {
    let rules = text_of("alerts.yml");
    let named: BTreeSet<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let tests = text_of("alerts.test.yml");
    let tested: BTreeSet<&str> = tests.lines().filter_map(|line| line.trim().strip_prefix("alertname: ")).collect();
    assert_eq!(named, tested);
}

#[test]
fn panels_of_the_board_have_their_own_numbers_and_cover_nobody_else() {
    let board: Value = serde_json::from_str(&text_of("grafana/afluente.json")).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let numbers: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(numbers.len(), panels.len());
    let mut covered = BTreeSet::new();
    for panel in panels {
        let at = |side: &str| panel["gridPos"][side].as_i64().unwrap();
        assert!(at("x") + at("w") <= 24, "{}", panel["title"]);
        for cell in (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y))) {
            assert!(covered.insert(cell), "{} lies on another panel", panel["title"]);
        }
    }
}

#[test]
fn a_name_or_a_value_that_nothing_has_is_found() {
    let there = series_in("afluente_a_total{gateway=\"stripe\",reason=\"queue_full\"} 1\nafluente_b 2\n");
    let asked = |text: &str| missing(&series_in(text), &there);
    assert_eq!(
        asked("sum(rate(afluente_a_total{reason=~\"queue_.*\", gateway=\"stripe\"}[5m])) + afluente_b"),
        [""; 0]
    );
    assert_eq!(asked("afluente_c > 0"), ["afluente_c"]);
    assert_eq!(asked("afluente_a_total{reason=~\"busy|queue_.*\"}"), ["afluente_a_total{reason=\"busy\"}"]);
    assert_eq!(asked("afluente_b{state=\"ready\"}"), ["afluente_b{state=\"ready\"}"]);
}

#[test]
fn the_image_is_built_of_all_the_binary_is_made_of() {
    let root = folder().join("..").canonicalize().unwrap();
    let text = text_of("container/Containerfile");
    let (build, _) = text.rsplit_once("\nFROM ").unwrap();
    let copied: Vec<PathBuf> = build
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .flat_map(|line| line.rsplit_once(' ').unwrap().0.split(' ').map(|from| root.join(from)))
        .collect();
    // Cargo writes beside a binary which files it was made of.
    let made_of = std::fs::read_to_string(binary().with_extension("d")).unwrap();
    let files =
        made_of.split_once(": ").unwrap().1.split_whitespace().map(|file| Path::new(file).canonicalize().unwrap());
    let mut seen = 0;
    for file in files.filter(|file| file.starts_with(&root)) {
        assert!(copied.iter().any(|from| file.starts_with(from)), "{} is not copied", file.display());
        seen += 1;
    }
    assert!(seen > 100, "{seen} files");
}
