//! Pagar.me and Appmax by whole processes: what they post, what is read back, and what never reaches a log.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{SocketAddr, TcpListener};

use afluente_tests::{Shop, Up};
use serde_json::Value;

const LOGIN: &str = "loja:s3nh@:forte";
/// The same as it goes over the wire.
const LOGIN_SHOWN: &str = "bG9qYTpzM25oQDpmb3J0ZQ==";
const API_KEY: &str = "ak_test_of_the_shop_0001";
const SECRET_KEY: &str = "sk_test_of_the_shop_0001";
const PATH_TOKEN: &str = "a-token-that-ends-the-path";
const CLIENT_SECRET: &str = "the-secret-of-the-client";
const PANEL_TOKEN: &str = "the-token-of-the-panel";

/// An address nobody listens at.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Everything is logged, so that a secret that could be would be.
const LOUD: &str = "[log]\nlevel = \"trace\"\n";

fn pagarme(dashboard: &str) -> Shop {
    let address = nobody();
    let shop = Shop::with(&format!(
        "[accounts.loja]\ngateway = \"pagarme\"\nmode = \"test\"\nexternal_id = \"acc_Simulated0000001\"\n{dashboard}\n\
         secrets = [{{ file = \"secrets/v4\" }}]\n\
         [accounts.loja.keys]\nbase = \"http://{address}\"\nallow_other_host = true\n\
         [accounts.loja.api]\ntoken = {{ file = \"secrets/key\" }}\nbase = \"http://{address}\"\nallow_other_host = true\n\
         calls_per_second = 500\nat_once = 16\n{LOUD}"
    ));
    shop.private("secrets/login", LOGIN);
    shop.private("secrets/path", PATH_TOKEN);
    shop.private("secrets/v4", API_KEY);
    shop.private("secrets/key", SECRET_KEY);
    shop
}

fn appmax(access: &str) -> Shop {
    let address = nobody();
    let shop = Shop::with(&format!(
        "[accounts.loja]\ngateway = \"appmax\"\nmode = \"test\"\npath_tokens = [{{ file = \"secrets/path\" }}]\n\
         [accounts.loja.api]\n{access}\nbase = \"http://{address}\"\nallow_other_host = true\n\
         calls_per_second = 500\nat_once = 16\n{LOUD}"
    ));
    shop.private("secrets/path", PATH_TOKEN);
    shop.private("secrets/client", CLIENT_SECRET);
    shop.private("secrets/panel", PANEL_TOKEN);
    shop
}

/// Plays a gateway with trouble on the way; every life has to end in its truth, and every forgery as it must.
fn played(shop: &Shop, up: &Up, gateway: &str, hints: &[&str]) -> Value {
    let url = format!("http://{}", up.ingress);
    let mut args = vec!["simulate", "--gateway", gateway, "--url", &url, "--payments", "130", "--check", "--json"];
    args.extend(["--shuffle", "--duplicate", "0.3", "--forge", "0.3", "--trouble", "0.1"]);
    let report = shop.run(&args).expect(0).json();
    assert_eq!(report["differences"].as_array().map(Vec::len), Some(0), "{report}");
    for way in report["ways"].as_array().unwrap() {
        let is_hint = hints.contains(&way["way"].as_str().unwrap());
        assert_eq!(if is_hint { &way["taken"] } else { &way["refused"] }, &way["sent"], "{way}");
    }
    assert_eq!(shop.run(&["dead", "list", "--json"]).expect(0).json(), Value::Array(vec![]));
    report
}

/// Stops it, and reads its whole log; the gateway's API went with the simulation.
fn ended(shop: &Shop, up: Up, secrets: &[&str]) {
    let metrics = up.metrics();
    let (code, log) = up.terminate();
    assert_eq!(code, 0);
    assert!(log.len() > 10_000, "everything is logged: {log}");
    for secret in secrets {
        assert!(!log.contains(secret) && !metrics.contains(secret), "{secret}");
    }
    shop.run(&["rebuild", "--check"]).expect(0);
}

#[test]
fn both_generations_of_pagarme_on_three_channels_end_in_the_truth() {
    let shop = pagarme("logins = [{ file = \"secrets/login\" }]");
    let up = shop.up();
    let report = played(&shop, &up, "pagarme", &["unknown key"]);
    assert!(report["ways"].as_array().unwrap().len() >= 10, "{report}");
    let ready = up.get("/readyz");
    assert!(ready.contains("keys are asked of http://127.0.0.1"), "{ready}");
    ended(&shop, up, &[LOGIN, LOGIN_SHOWN, API_KEY, SECRET_KEY]);
}

#[test]
fn a_dashboard_without_a_password_is_told_by_the_token_that_ends_its_path() {
    let shop = pagarme("path_tokens = [{ file = \"secrets/path\" }]");
    let up = shop.up();
    played(&shop, &up, "pagarme", &["unknown key"]);
    ended(&shop, up, &[PATH_TOKEN, API_KEY, SECRET_KEY]);
}

#[test]
fn orders_of_appmax_are_read_back_with_an_apps_client() {
    let shop = appmax("client_id = \"client-1\"\nclient_secret = { file = \"secrets/client\" }");
    let up = shop.up();
    let report = played(&shop, &up, "appmax", &["stranger's payment"]);
    let calls = report["asked"]["answers"]["token 200"].as_u64();
    assert!(calls.is_some_and(|calls| calls > 0), "{report}");
    ended(&shop, up, &[PATH_TOKEN, CLIENT_SECRET]);
}

#[test]
fn orders_of_appmax_are_read_back_with_the_panels_token_which_stands_in_the_query_and_in_no_log() {
    let shop = appmax("token = { file = \"secrets/panel\" }");
    let up = shop.up();
    played(&shop, &up, "appmax", &["stranger's payment"]);
    ended(&shop, up, &[PATH_TOKEN, PANEL_TOKEN]);
}
