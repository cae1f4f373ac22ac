//! A minute of everything being killed. `afluente torture --minutes 10` is the same for longer.

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
