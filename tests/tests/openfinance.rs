//! Open Finance by whole processes: a bank whose certificate a proxy forwards and whose answers are signed, and those who sign.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{SocketAddr, TcpListener};

use afluente_tests::{Shop, Up};
use serde_json::Value;

const ORGANISATION: &str = "b961c4eb-509d-4edf-afeb-35642b38185d";
const AUTHORITY: &str = include_str!("../../crates/simulate/certificates/authority.pem");
const CLIENT_KEY: &str = include_str!("../../crates/simulate/keys/client.pem");
const SIGNATURE_SECRET: &str = "signature-secret-of-the-shop";
const HOUSE_SECRET: &str = "house-secret-of-the-shop";

/// An address nobody listens at.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn shop() -> Shop {
    let bank = nobody();
    let shop = Shop::with(&format!(
        "[accounts.bank]\ngateway = \"openfinance\"\nprofile = \"ofb\"\nmode = \"test\"\nexternal_id = \"{ORGANISATION}\"\n\
         client_certificates = {{ authorities = \"secrets/authority.pem\" }}\n\
         [accounts.bank.api]\nbase = \"http://{bank}\"\nclient_id = \"client-1\"\ntoken_endpoint = \"http://{bank}/auth/token\"\n\
         signing_key = {{ file = \"secrets/client.pem\" }}\nsigning_key_id = \"k1\"\norganisation = \"5a3f2f5e-7b0d-4d2f-9c61-8e1a9d5b6c70\"\n\
         keys_base = \"http://{bank}\"\nallow_other_host = true\ncalls_per_second = 500\nat_once = 16\n\
         [accounts.pix]\ngateway = \"openfinance\"\nprofile = \"transfeera\"\nmode = \"test\"\nsecrets = [{{ file = \"secrets/pix\" }}]\n\
         [accounts.casa]\ngateway = \"openfinance\"\nprofile = \"house\"\nmode = \"test\"\nsecrets = [{{ file = \"secrets/casa\" }}]\n\
         [ingress.proxies]\ntrusted = [\"127.0.0.1\"]\ncertificate_header = \"x-client-certificate\"\n\
         [log]\nlevel = \"trace\"\n"
    ));
    shop.private("secrets/authority.pem", AUTHORITY);
    shop.private("secrets/client.pem", CLIENT_KEY);
    shop.private("secrets/pix", SIGNATURE_SECRET);
    shop.private("secrets/casa", HOUSE_SECRET);
    shop
}

/// Plays an account; every life has to end in its truth, and every forgery as it must.
fn played(shop: &Shop, up: &Up, account: &str, hints: &[&str], trouble: &str) -> Value {
    let url = format!("http://{}", up.ingress);
    let mut args = vec!["simulate", "--account", account, "--url", &url, "--payments", "90", "--check", "--json"];
    args.extend(["--shuffle", "--duplicate", "0.3", "--forge", "0.3", "--trouble", trouble]);
    let report = shop.run(&args).expect(0).json();
    assert_eq!(report["differences"].as_array().map(Vec::len), Some(0), "{report}");
    for way in report["ways"].as_array().unwrap() {
        let is_hint = hints.contains(&way["way"].as_str().unwrap());
        assert_eq!(if is_hint { &way["taken"] } else { &way["refused"] }, &way["sent"], "{way}");
    }
    assert_eq!(shop.run(&["dead", "list", "--json"]).expect(0).json(), Value::Array(vec![]));
    report
}

#[test]
fn a_bank_and_those_who_sign_end_in_the_truth_and_no_secret_reaches_a_log() {
    let shop = shop();
    let up = shop.up();
    let hints = ["stranger's payment", "other bank's certificate"];
    let report = played(&shop, &up, "bank", &hints, "0.3");
    assert_eq!(report["ways"].as_array().map(Vec::len), Some(7), "{report}");
    assert!(
        report["asked"]["answers"]["garbage"].as_u64() > Some(0),
        "answers that are not signed as they must be: {report}"
    );
    for account in ["pix", "casa"] {
        assert_eq!(played(&shop, &up, account, &[], "0")["ways"].as_array().map(Vec::len), Some(8));
    }
    let metrics = up.metrics();
    let counted = |line: &str| metrics.lines().any(|found| found.starts_with(line) && !found.ends_with(" 0"));
    for line in [
        "afluente_ingress_requests_total{gateway=\"openfinance\",outcome=\"no_certificate\"}",
        "afluente_ingress_requests_total{gateway=\"openfinance\",outcome=\"untrusted_certificate\"}",
        "afluente_ingress_requests_total{gateway=\"openfinance\",outcome=\"forwarded_twice\"}",
        "afluente_lookup_wants_total{gateway=\"openfinance\",outcome=\"unproved\"}",
    ] {
        assert!(counted(line), "{line} in {metrics}");
    }
    let (code, log) = up.terminate();
    assert_eq!(code, 0);
    let key = CLIENT_KEY.lines().nth(2).unwrap();
    for secret in [SIGNATURE_SECRET, HOUSE_SECRET, key, "BEGIN CERTIFICATE", "SALDO_INSUFICIENTE"] {
        assert!(!log.contains(secret) && !metrics.contains(secret), "{secret}");
    }
    shop.run(&["rebuild", "--check"]).expect(0);
    let refused = shop.run(&["payments", "list", "--json", "--limit", "1000"]).expect(0).out;
    assert!(refused.contains("FAILED") && !refused.contains("SALDO_INSUFICIENTE"), "what nobody may know is not told");
}
