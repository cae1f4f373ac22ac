//! An application adopted with all it has: taken in beside traffic and a kill, and audited.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_testkit::at_full_size;
use afluente_testkit::legacy::{Shape, scripts};
use afluente_tests::{Served, Shop, afluente, wait_until};
use serde_json::Value;

/// An account of every gateway the application sells through.
const ACCOUNTS: &str = r#"
[accounts.loja]
gateway = "pagarme"
mode = "test"
secrets = [{ file = "secrets/loja" }]
[accounts.apps]
gateway = "appmax"
mode = "test"
path_tokens = [{ file = "secrets/apps" }]
[accounts.pix]
gateway = "openfinance"
profile = "transfeera"
mode = "test"
secrets = [{ file = "secrets/pix" }]
[ledger]"#;

/// A served shop whose database holds an application with so many payments.
fn adopted(shape: Shape, payments: u32) -> Served {
    let served = Served::new();
    for script in scripts(shape, payments) {
        served.server.psql_in("shop", &format!("set search_path = public;\n{script}"));
    }
    for (name, secret) in [
        ("loja", "ak_a_key_of_the_other_shop"),
        ("apps", "a_path_of_the_third_0123456789abcdef"),
        ("pix", "a_secret_of_the_bank_0123456789abcdef"),
    ] {
        served.shop.private(&format!("secrets/{name}"), secret);
    }
    served.shop.configure("[ledger]", ACCOUNTS);
    served.shop.run(&["migrate"]).expect(0);
    let admin = served.server.url("shop");
    served.shop.run(&["adopt", "--apply", "--yes", "--admin-url", &admin]).expect(0);
    served.shop.configure("[ledger]", "[legacy]\nwrite = \"on\"\n[ledger]");
    served
}

fn percent(audit: &Value, half: &str, name: &str, measure: &str) -> f64 {
    let lines = audit["windows"][0][half].as_array().unwrap();
    let line = lines.iter().find(|line| line["gateway"] == name).unwrap();
    line["shares"][measure]["percent"].as_f64().unwrap()
}

/// What a backfill says of its first kind.
fn counts(done: &Value, word: &str) -> u64 {
    done[0]["counts"][word].as_u64().unwrap_or(0)
}

#[test]
fn an_application_is_taken_in_beside_traffic_and_through_a_kill() {
    let payments = at_full_size(4_000, 200_000);
    let served = adopted(Shape::Scripts, payments);
    let shop = &served.shop;
    let up = shop.up();
    let audit = shop.run(&["audit", "--json"]).expect(1).json();
    assert!(percent(&audit, "application", "stripe", "in_ledger") < 1.0, "{audit:#}");

    // So slowly that it is killed in the middle.
    let (data, rate) = (shop.data(), (payments / 7).to_string());
    let mut first = afluente(["backfill", "legacy", "--rate", &rate, "--data", data.to_str().unwrap()]).spawn();
    let taken = "select coalesce(max(taken), 0) from afluente.legacy_backfills";
    wait_until("a page is in", || served.count(taken) >= i64::from(payments / 8));
    for number in 0..20 {
        assert!(shop.deliver(up.ingress, &Shop::paid(&format!("beside{number}"), 900)).is_acknowledged());
    }
    first.kill().unwrap();
    let _ = first.wait();
    let before_kill = served.count(taken);
    assert!(before_kill < i64::from(payments), "{before_kill}");
    let rest = shop.run(&["backfill", "legacy", "--rate", "1000000", "--json"]).expect(0).json();
    assert_eq!((&rest[0]["resumed_after"], &rest[0]["finished"]), (&before_kill.into(), &true.into()));
    let rows = served.count("select count(*) from public.payment_transactions");
    assert_eq!(served.count(taken), rows, "every row once, whatever was killed");
    assert_eq!(counts(&rest, "no_account"), 0, "{rest:#}");
    for kind in ["customers", "links"] {
        shop.run(&["backfill", kind, "--rate", "1000000"]).expect(0);
    }

    let audit = shop.run(&["audit", "--json"]).expect(1).json();
    assert!(percent(&audit, "application", "stripe", "in_ledger") > 80.0, "{audit:#}");
    assert!(percent(&audit, "gateways", "STRIPE", "customer") > 80.0, "{audit:#}");
    let table = shop.run(&["audit"]).expect(1).out;
    assert!(table.contains("rows of the application") && table.contains("PROVIDER_V2 (100 %)"), "{table}");
    let missing = shop.run(&["audit", "merchants-missing"]).expect(1).out;
    assert!(missing.contains("clinic without merchant"), "{missing}");

    // A second time changes nothing.
    let state = "select md5(string_agg(p::text, ',' order by id)) from afluente.payments p";
    wait_until("what is asked at once was", || {
        served.count("select count(*) from afluente.webhook_receipts where kind = 'WEBHOOK'") == 20
    });
    let before = served.ask(state);
    let again = shop.run(&["backfill", "legacy", "--rate", "1000000", "--json"]).expect(0).json();
    assert_eq!((counts(&again, "taken"), &again[0]["resumed_after"]), (0, &Value::Null), "{again:#}");
    assert_eq!(served.ask(state), before);
    assert!(shop.run(&["rebuild", "--check"]).expect(0).out.contains("0 differences"));
    assert_eq!(up.terminate().0, 0);
}

#[test]
fn what_cannot_be_taken_in_says_what_to_do() {
    let in_a_file = Shop::new();
    in_a_file.run(&["migrate"]).expect(0);
    assert!(in_a_file.run(&["backfill", "legacy"]).expect(2).err.contains("in a file"));
    assert!(in_a_file.run(&["audit", "merchants-missing"]).expect(2).err.contains("adopt"));
    let served = Served::new();
    served.shop.run(&["migrate"]).expect(0);
    assert!(served.shop.run(&["backfill", "legacy"]).expect(2).err.contains("adopt --apply"));
    let bad = [("--rate", "0"), ("--limit", "0"), ("--days-back", "x")];
    for (flag, value) in bad {
        assert!(served.shop.run(&["backfill", "links", flag, value]).expect(2).err.contains(flag), "{flag}");
    }
    let double = "[legacy.merchants.one]\nids = [\"m1\"]\n[legacy.merchants.two]\nids = [\"m1\"]\n[ledger]";
    served.shop.configure("[ledger]", double);
    assert!(served.shop.run(&["check"]).expect(2).err.contains("m1 is one's already"));
}

#[test]
fn a_limit_stops_it_and_the_next_goes_on() {
    let served = adopted(Shape::Prisma, 600);
    let shop = &served.shop;
    let dry = shop.run(&["backfill", "legacy", "--dry-run", "--json"]).expect(0).json();
    assert!(counts(&dry, "rows") > 500 && served.count("select count(*) from afluente.payments") == 0, "{dry:#}");
    let some = shop.run(&["backfill", "legacy", "--limit", "200", "--rate", "1000000", "--json"]).expect(0).json();
    assert_eq!((counts(&some, "rows"), &some[0]["finished"]), (200, &false.into()));
    let rest = shop.run(&["backfill", "legacy", "--rate", "1000000", "--json"]).expect(0).json();
    assert_eq!(counts(&rest, "rows") + 200, counts(&dry, "rows"));
    let none = shop.run(&["backfill", "legacy", "--days-back", "30", "--json"]).expect(0).json();
    assert_eq!((counts(&none, "rows"), &none[0]["finished"]), (0, &true.into()), "its rows are older");
}
