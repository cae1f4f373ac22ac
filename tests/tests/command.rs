//! What people type, and what they are told.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use afluente_tests::{Shop, afluente, event, send, unix_now, wait_until};
use serde_json::Value;

#[test]
fn fold_answers_every_line_and_ends_with_one_if_any_was_wrong() {
    let good = r#"{"facts":[{"family":"capture","op":"c","kind":"succeeded","at":10,"op_at":null,"amount":100,"source":"webhook"}]}"#;
    let input = format!(
        "{good}\n{{\"facts\":[{{\"family\":\"gift\",\"op\":\"c\",\"kind\":\"x\",\"source\":\"webhook\"}}]}}\nnot json\n\n{good}\n"
    );
    let finished = afluente(["fold"]).run_with_input(input.as_bytes()).expect(1);
    let lines: Vec<Value> = finished.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4, "{finished:#?}");
    for row in [&lines[0], &lines[3]] {
        assert_eq!((&row["status_v2"], &row["captured"]), (&Value::from("SUCCEEDED"), &Value::from(100)));
    }
    assert!(lines[1]["error"].as_str().unwrap().contains("expected one of attempt, auth"));
    assert_eq!(lines[2]["line"], 3);
    assert!(finished.err.contains("line 2") && finished.err.contains("2 lines"), "{finished:#?}");
    assert_eq!(afluente(["fold"]).run_with_input(good.as_bytes()).expect(0).out.lines().count(), 1);
}

#[test]
fn fold_gives_the_declared_row_for_every_shared_scenario() {
    let scenarios: Value = serde_json::from_str(include_str!("../../crates/model/tests/merge/scenarios.json")).unwrap();
    let scenarios = scenarios["scenarios"].as_array().unwrap();
    let input: String =
        scenarios.iter().map(|one| format!("{}\n", serde_json::json!({"facts": one["facts"]}))).collect();
    let finished = afluente(["fold"]).run_with_input(input.as_bytes()).expect(0);
    for (scenario, line) in scenarios.iter().zip(finished.out.lines()) {
        let row: Value = serde_json::from_str(line).unwrap();
        for (column, expected) in scenario["expected"].as_object().unwrap() {
            assert_eq!(&row[column], expected, "{} {column}", scenario["id"]);
        }
    }
}

#[test]
fn check_reports_all_mistakes_with_their_lines_and_nothing_starts() {
    let shop = Shop::new();
    let config = "[ingress]\nlisten = \"everywhere\"\nmax_body_byte = 5\n[queue]\nmax_bytes = -1\n[accounts.shop]\n\
                  gateway = \"paypal\"\nmode = \"sandbox\"\nsecrets = []\n";
    std::fs::write(shop.data().join("afluente.toml"), config).unwrap();
    for command in ["check", "up"] {
        let refused = shop.run(&[command]).expect(2);
        assert!(refused.err.contains("6 problems"), "{refused:#?}");
        for line in [2, 3, 5, 7, 8, 9] {
            assert!(refused.err.contains(&format!("afluente.toml:{line}: ")), "line {line}: {refused:#?}");
        }
    }
    let json = shop.run(&["check", "--json"]).expect(2).json();
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(6));
}

#[test]
fn a_first_start_makes_what_it_needs_and_says_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new");
    let up = afluente_tests::Up::start_with(
        "up",
        &data,
        &[("AFLUENTE_INGRESS_LISTEN", "127.0.0.1:0"), ("AFLUENTE_ADMIN_LISTEN", "127.0.0.1:0")],
    );
    for name in ["afluente.toml", "seal.key", "secrets/stripe-shop", "queue.sqlite", "ledger.sqlite"] {
        assert!(data.join(name).is_file(), "{name}");
    }
    let (code, _) = up.terminate();
    assert_eq!(code, 0);
    let checked = afluente(["check", "--data", data.to_str().unwrap()]).run().expect(0);
    assert!(checked.out.contains("/webhooks/stripe/shop"), "{checked:#?}");
}

#[test]
fn a_folder_is_made_without_starting_anything_and_what_is_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new");
    let init = || afluente(["init", "--data", data.to_str().unwrap()]).run().expect(0).out;
    assert!(init().contains("afluente check"));
    let mut names: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["afluente.toml", "seal.key", "secrets"]);
    let key = std::fs::read(data.join("seal.key")).unwrap();
    assert!(init().starts_with("nothing was missing"));
    assert_eq!(std::fs::read(data.join("seal.key")).unwrap(), key);
    afluente(["check", "--data", data.to_str().unwrap()]).run().expect(0);
}

#[test]
fn commands_that_cannot_work_say_what_is_missing_and_exit_with_three() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("nothing");
    let data = data.to_str().unwrap();
    for command in [vec!["payments", "list"], vec!["wants", "list"]] {
        let refused = afluente(command.iter().copied().chain(["--data", data])).run().expect(3);
        assert!(refused.err.contains("no ledger") && refused.err.contains("afluente up"), "{refused:#?}");
    }
    let refused = afluente(["up", "--data", "/proc/afluente"]).run().expect(3);
    assert!(refused.err.contains("/proc/afluente") && refused.err.contains("--data"), "{refused:#?}");
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let refused = afluente(["up", "--data", file.join("data").to_str().unwrap()]).run().expect(3);
    assert!(refused.err.contains("cannot write"), "{refused:#?}");
    afluente(["payments", "lst"]).run().expect(2);
    afluente(["simulate", "--duplicate", "2"]).run().expect(2);
    assert!(afluente(["--help"]).run().expect(0).out.contains("Exit codes"));
}

#[test]
fn dead_letters_are_listed_shown_previewed_discarded_and_replayed_beside_a_running_process() {
    let shop = Shop::new();
    let up = shop.up();
    let noid = r#"{"object":"payment_intent","amount":5,"currency":"brl","status":"succeeded","livemode":false}"#;
    for name in ["dead1", "dead2"] {
        assert!(shop.deliver(up.ingress, &event(name, "payment_intent.succeeded", noid)).is_acknowledged());
    }
    wait_until("both are buried", || shop.count("select count(*) from dead_letters") == 2);
    let list = shop.run(&["dead", "list", "--json"]).expect(0).json();
    let id = |index: usize| list[index]["id"].as_str().unwrap().to_owned();
    assert_eq!(list[0]["reason"], "malformed");
    assert_eq!(shop.run(&["dead", "list", "--group", "--json"]).expect(0).json()[0]["count"], 2);
    let shown = shop.run(&["dead", "show", &id(0), "--json"]).expect(0);
    assert!(shown.json()["now"].as_str().unwrap().contains("come back"), "{shown:#?}");
    assert!(!shown.out.contains("\"amount\""), "a body is never shown");
    let dry = shop.run(&["dead", "replay", "--all", "--dry-run", "--json"]).expect(0).json();
    assert_eq!(dry.as_array().map(Vec::len), Some(2));
    assert_eq!(shop.count("select count(*) from dead_letters where state = 'OPEN'"), 2);
    shop.run(&["dead", "discard", &id(0), "--because", " "]).expect(2);
    shop.run(&["dead", "discard", &id(0), "--because", "a test of ours", "--by", "maria"]).expect(0);
    assert_eq!(shop.count("select count(*) from dead_letters where state = 'DISCARDED' and settled_by = 'maria'"), 1);
    let again = shop.run(&["dead", "discard", &id(0), "--because", "again", "--json"]).expect(0).json();
    assert_eq!(again["already_settled"].as_array().map(Vec::len), Some(1), "{again}");
    shop.run(&["dead", "replay", &id(1)]).expect(0);
    wait_until("the replayed one came back to the dead", || {
        shop.count("select count(*) from dead_letters where state = 'OPEN'") == 1
            && shop.count("select count(*) from dead_letters") == 3
    });
    shop.run(&["dead", "show", "00000000-0000-0000-0000-000000000001"]).expect(1);
}

#[test]
fn a_delivery_from_the_future_is_parked_and_released_by_a_person_even_without_a_process() {
    let shop = Shop::new();
    let up = shop.up();
    let mut body: Value = serde_json::from_slice(&Shop::paid("future", 900)).unwrap();
    body["created"] = Value::from(unix_now() + 4_000);
    assert!(shop.deliver(up.ingress, body.to_string().as_bytes()).is_acknowledged());
    wait_until("it is parked", || shop.count("select count(*) from dead_letters where reason = 'future_dated'") == 1);
    assert_eq!(shop.count("select count(*) from payments"), 0);
    assert_eq!(up.terminate().0, 0);
    shop.run(&["dead", "replay", "--all", "--by", "joana"]).expect(0);
    let up = shop.up();
    wait_until("the released one is applied", || {
        shop.count("select count(*) from payments where status_v2 = 'SUCCEEDED'") == 1
    });
    assert_eq!(shop.count("select count(*) from webhook_receipts where released_by = 'joana'"), 1);
    drop(up);
    let report = shop.run(&["rebuild", "--check", "--json"]).expect(0).json();
    assert_eq!(report["differences"].as_array().map(Vec::len), Some(0), "{report}");
}

#[test]
fn rebuild_finds_what_somebody_changed_by_hand() {
    let shop = Shop::new();
    let up = shop.up();
    for name in ["hand1", "hand2"] {
        assert!(shop.deliver(up.ingress, &Shop::paid(name, 900)).is_acknowledged());
    }
    wait_until("both are there", || shop.receipts().len() == 2);
    assert_eq!(up.terminate().0, 0);
    shop.run(&["rebuild", "--check"]).expect(0);
    shop.change("update payments set captured_amount = 901 where provider_payment_id = 'pi_hand1'");
    shop.change(
        "delete from payment_facts where payment_id = (select id from payments where provider_payment_id = 'pi_hand2')",
    );
    let found = shop.run(&["rebuild", "--check", "--json"]).expect(1).json();
    let differences = found["differences"].to_string();
    assert!(differences.contains("captured_amount") && differences.contains("901"), "{found}");
    assert!(differences.contains("pi_hand2") && differences.contains("missing"), "{found}");
}

/// Answers one caller with this and ends.
fn answering(status: &str, body: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        let (mut caller, _) = listener.accept().unwrap();
        let _ = caller.read(&mut [0; 4_096]).unwrap();
        caller.write_all(answer.as_bytes()).unwrap();
    });
    address
}

#[test]
fn a_process_is_asked_whether_it_can_work_and_what_it_cannot_is_an_exit_code() {
    let shop = Shop::new();
    let ready = |at: SocketAddr, more: &[&str]| {
        let data = shop.data();
        let words = ["ready", "--data", data.to_str().unwrap()].into_iter().chain(more.iter().copied());
        afluente(words).env("AFLUENTE_ADMIN_LISTEN", &at.to_string()).run()
    };
    let up = shop.up();
    let well = ready(up.admin, &[]).expect(0).out;
    assert!(well.lines().any(|line| line.split_whitespace().eq(["ledger", "ok"])), "{well}");
    assert_eq!(ready(up.admin, &["--json"]).expect(0).json()["ready"], true);
    let admin = up.admin;
    drop(up);
    let away = ready(admin, &[]).expect(3).err;
    assert!(away.contains("nobody answers") && away.contains("afluente up"), "{away}");
    let ill =
        ready(answering("503 Service Unavailable", r#"{"ready":false,"checks":{"queue":"full"}}"#), &[]).expect(1);
    assert!(ill.out.contains("full") && ill.err.contains("cannot do its work"), "{ill:#?}");
    for odd in [r#"{"hello":"there"}"#, "<html>"] {
        assert!(ready(answering("200 OK", odd), &[]).expect(3).err.contains("no process of ours"));
    }
}

#[test]
fn accounts_follow_the_file_and_a_bad_file_keeps_the_old_ones_and_turns_readiness_red() {
    let shop = Shop::new();
    let up = shop.up();
    let file = shop.data().join("afluente.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "[accounts.shop]\nmode = \"sandbox\"\n").unwrap();
    up.signal("HUP");
    wait_until("readiness is red", || up.get("/readyz").starts_with("HTTP/1.1 503"));
    assert!(up.get("/readyz").contains("afluente check"));
    assert!(shop.deliver(up.ingress, &Shop::paid("reload1", 900)).is_acknowledged());
    std::fs::write(&file, good.replace("[accounts.shop]", "[accounts.second]")).unwrap();
    up.signal("HUP");
    wait_until("readiness is green", || up.get("/readyz").starts_with("HTTP/1.1 200"));
    assert_eq!(shop.deliver(up.ingress, &Shop::paid("reload2", 900)).status, 400);
}

#[test]
fn simulated_lives_end_in_the_truth_in_any_order_with_repetitions_and_forgeries() {
    let shop = Shop::new();
    let up = shop.up();
    let url = format!("http://{}", up.ingress);
    let args = [
        "simulate",
        "--payments",
        "160",
        "--shuffle",
        "--duplicate",
        "0.3",
        "--forge",
        "0.05",
        "--check",
        "--json",
        "--url",
        &url,
    ];
    let report = shop.run(&args).expect(0).json();
    assert_eq!(report["differences"].as_array().map(Vec::len), Some(0));
    assert_eq!(report["believed"], 0);
    assert!(report["forgeries"].as_u64().unwrap() > 20, "{report}");
    assert_eq!(report["forgeries"], report["refused"]);
    let wants = shop.run(&["wants", "list", "--json"]).expect(0).json();
    assert!(wants.as_array().unwrap().iter().any(|want| want["reason"] == "hint"), "thin events raise wants");
    assert_eq!(shop.count("select count(*) from dead_letters"), 0);
    shop.run(&["rebuild", "--check"]).expect(0);
    shop.configure("\"test\"", "\"live\"");
    let refused = shop.run(&["simulate", "--url", &url]).expect(2);
    assert!(refused.err.contains("is live"), "{refused:#?}");
}

#[test]
fn demo_plays_five_gateways_and_ends_in_the_truth() {
    let finished = afluente(["demo", "--once", "--payments", "210"]).run().expect(0);
    assert!(finished.out.contains("211 payments at 7 accounts: 0 differences"), "{finished:#?}");
    for told in ["Stripe", "Pagar.me", "Appmax", "Open Finance Brasil", "Mercado Pago", "CHARGED_BACK", "EXPIRED"] {
        assert!(finished.out.contains(told), "{told} in {finished:#?}");
    }
}

/// The shop's configuration with its account under this name and more lines in its section.
fn renamed(shop: &Shop, name: &str, more: &str) {
    let file = shop.data().join("afluente.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let head = text.split("[accounts.").next().unwrap();
    let account = format!(
        "[accounts.{name}]\ngateway = \"stripe\"\nmode = \"test\"\nexternal_id = \"acct_1\"\n\
         secrets = [{{ file = \"secrets/shop\" }}]\n{more}\n"
    );
    std::fs::write(&file, format!("{head}{account}")).unwrap();
}

#[test]
fn a_renamed_account_is_told_what_to_do_before_anything_starts_and_can_go_on_under_its_new_name() {
    let shop = Shop::new();
    renamed(&shop, "shop", "");
    {
        let up = shop.up();
        assert!(shop.deliver(up.ingress, &Shop::paid("before", 900)).is_acknowledged());
        wait_until("it is in the ledger", || shop.receipts().len() == 1);
    }
    renamed(&shop, "loja", "");
    for args in [["check"], ["up"]] {
        let refused = shop.run(&args).expect(2);
        assert!(refused.err.contains("replaces = \"shop\""), "{refused:?}");
    }
    renamed(&shop, "shop", "merchant = \"another\"");
    assert!(shop.run(&["check"]).expect(2).err.contains("set merchant = \"default\" again"));
    renamed(&shop, "loja", "replaces = \"shop\"");
    shop.run(&["check"]).expect(0);
    let up = shop.up();
    assert_eq!(shop.deliver(up.ingress, &Shop::paid("after", 900)).status, 400, "the old path is nobody's");
    let body = Shop::paid("after", 900);
    let signature = shop.sign(unix_now(), &body);
    let headers = [("Content-Type", "application/json"), ("Stripe-Signature", signature.as_str())];
    assert!(send(up.ingress, "/webhooks/stripe/loja", &headers, &body).is_acknowledged());
    wait_until("both are in the ledger", || shop.receipts().len() == 2);
    assert_eq!(shop.count("select count(*) from payments where account = 'shop'"), 1, "history stays where it was");
}

#[test]
fn a_secret_whose_file_alone_is_replaced_works_within_seconds() {
    let mut shop = Shop::new();
    let up = shop.up();
    assert!(shop.deliver(up.ingress, &Shop::paid("old", 900)).is_acknowledged());
    shop.secret = "whsec_another_secret_of_one_shop".to_owned();
    assert_eq!(shop.deliver(up.ingress, &Shop::paid("new", 900)).status, 400);
    // As a mounted secret is replaced: the name points to another file from one moment to the next.
    shop.private("secrets/next", &shop.secret);
    std::fs::rename(shop.data().join("secrets/next"), shop.data().join("secrets/shop")).unwrap();
    wait_until("the new secret is in force", || shop.deliver(up.ingress, &Shop::paid("new", 900)).is_acknowledged());
}

#[test]
fn the_sealing_key_can_be_replaced_while_dead_letters_of_the_old_one_wait() {
    let shop = Shop::new();
    {
        let up = shop.up();
        assert!(shop.deliver(up.ingress, b"no json").is_acknowledged());
        wait_until("it is buried", || shop.count("select count(*) from dead_letters where reason = 'malformed'") == 1);
    }
    shop.private("new.key", &"6".repeat(64));
    let file = shop.data().join("afluente.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let keys = "[queue]\nseal_keys = [{ file = \"new.key\" }, { file = \"seal.key\" }]\n";
    std::fs::write(&file, format!("{keys}{text}")).unwrap();
    let up = shop.up();
    assert!(shop.deliver(up.ingress, &Shop::paid("sealed_anew", 900)).is_acknowledged());
    shop.run(&["dead", "replay", "--all"]).expect(0);
    let again = "select count(*) from dead_letters where reason = 'malformed' and state = 'OPEN'";
    wait_until("the old seal was opened", || shop.count(again) == 1);
    assert_eq!(shop.count("select count(*) from dead_letters where reason = 'undecodable'"), 0);
    wait_until("the new seal too", || shop.receipts().contains_key("snapshot:evt_sealed_anew"));
}

#[test]
fn check_before_the_first_start_speaks_of_what_is_there() {
    let shop = Shop::new();
    std::fs::remove_file(shop.data().join("seal.key")).unwrap();
    let checked = shop.run(&["check"]).expect(0);
    assert!(checked.out.contains("the first `afluente up` makes it"), "{checked:?}");
}

#[test]
fn an_hour_of_a_wrong_mode_is_mended_with_one_command_beside_the_running_process() {
    let shop = Shop::new();
    let file = shop.data().join("afluente.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("mode = \"test\"", "mode = \"live\"")).unwrap();
    let up = shop.up();
    let bodies: Vec<Vec<u8>> = (0..200).map(|number| Shop::paid(&format!("m{number}"), 900 + number)).collect();
    for body in &bodies {
        assert!(shop.deliver(up.ingress, body).is_acknowledged());
    }
    wait_until("all were kept", || shop.receipts().len() == 200);
    assert_eq!(shop.count("select count(*) from payments"), 0);
    assert_eq!(shop.run(&["rebuild", "--check"]).expect(0).err, "", "while the mode is wrong, nothing differs");

    std::fs::write(&file, &good).unwrap();
    wait_until("the mode is in force", || shop.count("select count(*) from gateway_accounts where livemode = 0") == 1);
    shop.run(&["rebuild", "--check"]).expect(1);
    let preview = shop.run(&["rebuild", "--apply"]).expect(0);
    assert!(preview.out.contains("would be written  200 receipts read again"), "{preview:?}");
    assert_eq!(shop.count("select count(*) from payments"), 0, "a preview writes nothing");
    let applied = shop.run(&["rebuild", "--apply", "--yes", "--by", "joana"]).expect(0);
    assert!(applied.out.contains("0 differences") && applied.out.contains("written 200 receipts"), "{applied:?}");
    let succeeded = "select count(*) from payments where status_v2 = 'SUCCEEDED' and captured_amount >= 900";
    assert_eq!(shop.count(succeeded), 200);
    assert_eq!(shop.count("select count(*) from lifecycle_events where actor = 'joana'"), 200);
    shop.run(&["rebuild", "--check"]).expect(0);
    for body in &bodies {
        assert!(shop.deliver(up.ingress, body).is_acknowledged());
    }
    wait_until("all came twice", || shop.count("select count(*) from webhook_dedupe where deliveries = 2") == 200);
    assert_eq!(shop.count("select count(*) from payments where row_version = 1"), 200, "applied once");
}

#[test]
fn a_rebuild_without_a_process_takes_the_folder_itself() {
    let shop = Shop::new();
    {
        let up = shop.up();
        assert!(shop.deliver(up.ingress, &Shop::paid("one", 900)).is_acknowledged());
        wait_until("it is applied", || shop.count("select count(*) from payments") == 1);
        assert_eq!(up.terminate().0, 0);
    }
    shop.change("update payments set captured_amount = 1");
    let found = shop.run(&["rebuild", "--check", "--json"]).expect(1).json();
    assert_eq!(found["differences"][0]["what"], "captured_amount", "{found}");
    let mended = shop.run(&["rebuild", "--apply", "--yes", "--json"]).expect(0).json();
    assert_eq!((&mended["written"]["rows"], &mended["differences"]), (&Value::from(1), &Value::Array(Vec::new())));
    for wrong in [&["rebuild"][..], &["rebuild", "--yes"], &["rebuild", "--check", "--apply"]] {
        shop.run(wrong).expect(2);
    }
}

#[test]
fn a_stop_does_not_wait_for_a_replay_which_says_how_far_it_came() {
    let shop = Shop::new();
    let up = shop.up();
    for number in 0..30 {
        assert!(shop.deliver(up.ingress, format!("no json {number}").as_bytes()).is_acknowledged());
    }
    wait_until("all are buried", || shop.count("select count(*) from dead_letters") == 30);
    let data = shop.data();
    let replaying = std::thread::spawn(move || {
        afluente(["dead", "replay", "--all", "--rate", "2", "--json", "--data", data.to_str().unwrap()]).run()
    });
    wait_until("it has begun", || shop.count("select count(*) from dead_letters where state = 'REPLAYED'") >= 1);
    assert_eq!(up.terminate().0, 0);
    let replayed = replaying.join().unwrap().expect(3);
    assert!(replayed.err.contains("run the command again"), "{replayed:?}");
    let (done, left) = (replayed.json()["done"].clone(), replayed.json()["left"].clone());
    assert_eq!(done.as_array().unwrap().len() + left.as_array().unwrap().len(), 30);
    assert!(!left.as_array().unwrap().is_empty());
}
