//! A minute of everything being killed. `afluente torture --minutes 10` is the same for longer, and `afluente bench peers` kills
//! what keeps for one program after the other.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use afluente_tests::afluente;

#[test]
fn a_minute_of_kills_of_every_process_loses_and_doubles_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let torture = ["torture", "--minutes", "1", "--rate", "120", "--seed", "7", "--json"];
    let told = afluente(torture).at(root).run().expect(0).json();
    for number in ["lost", "doubled", "untrue_payments", "rebuild_differences", "unanswered"] {
        assert_eq!(told[number], 0, "{number}: {told}");
    }
    assert!(told["acknowledged"].as_u64().unwrap() > 1_000, "{told}");
    for rates in ["answered_after_over_before", "handled_after_over_before"] {
        assert_eq!(told[rates].as_object().unwrap().len(), 6, "{told}");
    }
    let held = told["held_bytes"].as_object().unwrap();
    assert!(held["memory of worker 1"]["last_quarter"].is_u64() && held.len() == 6, "{told}");
    assert!(told["kills"].as_object().unwrap().values().all(|kills| kills.as_u64().unwrap() > 0), "{told}");
}

#[test]
fn bench_kills_what_keeps_under_ours_and_finds_all_that_was_acknowledged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let short = ["--seconds", "1", "--connections", "4", "--after", "1", "--json"];
    let told = afluente([&["bench", "peers", "--peers"], &short[..]].concat()).at(root).run().expect(0).json();
    let measured = told["figures"].as_array().unwrap();
    assert!(measured.iter().all(|figure| figure["rate"].as_f64().unwrap() > 0.0), "{told}");
    let outages = told["outages"].as_array().unwrap();
    let killed: Vec<_> = outages.iter().map(|one| (one["server"].as_str().unwrap(), &one["killed"])).collect();
    for (server, service) in [("afluente, RabbitMQ", "rabbitmq"), ("afluente, embedded", "itself")] {
        assert!(killed.iter().any(|(name, killed)| *name == server && *killed == service), "{told}");
    }
    for outage in outages {
        assert_eq!(outage["lost"], 0, "{outage}");
        assert!(outage["acknowledged"].as_u64().unwrap() > 0, "{outage}");
    }
}
