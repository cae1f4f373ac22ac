//! What only a gateway knows: asked of a server that answers, and left open while it does not.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use afluente_tests::{Answer, Shop, Up, send, unix_now, wait_until};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

const SECRET: &str = "a_secret_of_the_application_0123456789";
const PATH_TOKEN: &str = "a-token-that-ends-the-path";
const ACCESS_TOKEN: &str = "APP_USR-a-token-of-the-seller";
const REQUEST_ID: &str = "2066ca19-c6f1-498a-be75-1923005edd06";
const PAYMENT: &str = "138472432031";

/// A server that answers every request alike, one at a time, and remembers what was asked.
struct Api {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    says: Arc<Mutex<(u16, String)>>,
}

impl Api {
    fn that_says(status: u16, body: &str) -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let says = Arc::new(Mutex::new((status, body.to_owned())));
        let (heard, said) = (Arc::clone(&asked), Arc::clone(&says));
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut request = Vec::new();
                let mut piece = [0; 1024];
                while !request.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut piece) {
                        Ok(0) | Err(_) => break,
                        Ok(length) => request.extend_from_slice(&piece[..length]),
                    }
                }
                heard.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                let (status, body) = said.lock().unwrap().clone();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Api { address, asked, says }
    }

    fn says(&self, status: u16, body: &str) {
        *self.says.lock().unwrap() = (status, body.to_owned());
    }
}

/// A shop with an account at Mercado Pago that asks this server.
fn shop(api: &Api) -> Shop {
    shop_that_asks(api.address)
}

fn shop_that_asks(address: SocketAddr) -> Shop {
    let more = format!(
        "[accounts.loja]\ngateway = \"mercadopago\"\nmode = \"test\"\nexternal_id = \"700700\"\n\
         secrets = [{{ file = \"secrets/loja\" }}]\npath_tokens = [{{ file = \"secrets/loja-path\" }}]\n\
         [accounts.loja.api]\ntoken = {{ file = \"secrets/loja-token\" }}\nbase = \"http://{address}\"\nallow_other_host = true\n\
         calls_per_second = 500\nat_once = 16\n",
    );
    let shop = Shop::with(&more);
    shop.private("secrets/loja", SECRET);
    shop.private("secrets/loja-path", PATH_TOKEN);
    shop.private("secrets/loja-token", ACCESS_TOKEN);
    shop
}

fn payment(status: &str, detail: &str) -> String {
    format!(
        r#"{{"id":{PAYMENT},"status":"{status}","status_detail":"{detail}","transaction_amount":58.80,"transaction_amount_refunded":0,"currency_id":"BRL","date_last_updated":"2025-11-23T08:02:00.000-04:00","operation_type":"regular_payment","collector_id":700700,"live_mode":true}}"#
    )
}

/// A notice of the signed channel.
fn webhook(up: &Up) -> Answer {
    let now = unix_now();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("id:{PAYMENT};request-id:{REQUEST_ID};ts:{now};").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = format!("ts={now},v1={hex}");
    let headers =
        [("content-type", "application/json"), ("x-signature", signature.as_str()), ("x-request-id", REQUEST_ID)];
    let path = format!("/webhooks/mercadopago/loja?data.id={PAYMENT}&type=payment");
    let body = format!(r#"{{"action":"payment.updated","data":{{"id":"{PAYMENT}"}},"id":1,"type":"payment"}}"#);
    send(up.ingress, &path, &headers, body.as_bytes())
}

/// The same of the old channel, with this token at the end of the path.
fn ipn(up: &Up, token: &str) -> Answer {
    let path = format!("/webhooks/mercadopago/loja{token}?id={PAYMENT}&topic=payment");
    let body = format!(r#"{{"resource":"{PAYMENT}","topic":"payment"}}"#);
    send(up.ingress, &path, &[("content-type", "application/json")], body.as_bytes())
}

/// The body of an answer.
fn told(answer: &Answer) -> String {
    answer.text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn row(shop: &Shop) -> Option<Value> {
    let rows = shop.run(&["payments", "list", "--json"]).expect(0).json();
    rows.as_array().unwrap().first().cloned()
}

#[test]
fn both_channels_of_one_payment_become_one_call_and_one_row_that_a_rebuild_proves_without_the_gateway() {
    let api = Api::that_says(200, &payment("approved", "accredited"));
    let shop = shop(&api);
    let up = shop.up();
    let ready = up.get("/readyz");
    assert!(ready.contains(&format!("loja asks http://{}, not the gateway's own address", api.address)), "{ready}");
    assert!(webhook(&up).is_acknowledged());
    assert!(ipn(&up, &format!("/{PATH_TOKEN}")).is_acknowledged());
    assert!(webhook(&up).is_acknowledged());
    wait_until("the payment is there", || row(&shop).is_some());
    let row = row(&shop).unwrap();
    assert_eq!((&row["status_v2"], &row["provider_v2"]), (&"SUCCEEDED".into(), &"MERCADOPAGO".into()), "{row}");
    wait_until("nothing is open", || shop.run(&["wants", "list", "--json"]).expect(0).json() == Value::Array(vec![]));
    let asked = api.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with(&format!("GET /v1/payments/{PAYMENT} HTTP/1.1")));
    assert!(asked[0].to_lowercase().contains(&format!("authorization: bearer {}", ACCESS_TOKEN.to_lowercase())));
    let metrics = up.metrics();
    assert!(
        metrics.contains("afluente_lookup_wants_total{gateway=\"mercadopago\",outcome=\"answered\"} 1"),
        "{metrics}"
    );
    let (code, log) = up.terminate();
    assert_eq!(code, 0, "{log}");
    for secret in [SECRET, PATH_TOKEN, ACCESS_TOKEN] {
        assert!(!log.contains(secret), "{log}");
    }
    api.says(500, "");
    shop.run(&["rebuild", "--check"]).expect(0);
    assert_eq!(api.asked.lock().unwrap().len(), 1, "a rebuild asks nobody");
}

#[test]
fn what_nobody_signed_needs_the_token_and_is_told_the_same_whatever_was_wrong() {
    let api = Api::that_says(200, &payment("approved", "accredited"));
    let shop = shop(&api);
    let up = shop.up();
    let unknown = send(
        up.ingress,
        &format!("/webhooks/mercadopago/nobody/{PATH_TOKEN}?id={PAYMENT}&topic=payment"),
        &[("content-type", "application/json")],
        b"{}",
    );
    let all: Vec<(u16, String)> = [ipn(&up, ""), ipn(&up, "/another-token"), unknown]
        .into_iter()
        .map(|answer| (answer.status, told(&answer)))
        .collect();
    assert_eq!(all[0].0, 401);
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    assert_eq!(shop.receipts().len(), 0);
}

#[test]
fn a_question_that_is_not_answered_is_shown_asked_again_and_given_up() {
    let api = Api::that_says(403, "{}");
    let shop = shop(&api);
    let up = shop.up();
    assert!(webhook(&up).is_acknowledged());
    let open = || shop.run(&["wants", "list", "--json"]).expect(0).json();
    wait_until("it was asked", || open()[0]["attempts"] == 1);
    let want = open()[0].clone();
    assert_eq!((&want["last_outcome"], &want["kind"]), (&"forbidden".into(), &"payment".into()), "{want}");
    let id = want["id"].as_str().unwrap();
    assert!(shop.run(&["wants", "show", id]).expect(0).out.contains("forbidden"));
    shop.run(&["wants", "retry", id, "--dry-run"]).expect(0);
    assert_eq!(open()[0]["attempts"], 1);
    assert!(shop.run(&["wants", "retry", id, "--by", "ana"]).expect(0).out.contains("1 want asked now"));
    wait_until("it was asked again", || open()[0]["attempts"] == 2);
    assert!(shop.run(&["wants", "drop", id, "--because", " "]).expect(2).err.contains("got an empty text"));
    let because = ["--because", "a test of the panel", "--by", "ana"];
    let dropped = shop.run(&[&["wants", "drop", id], &because[..]].concat()).expect(0);
    assert!(dropped.out.contains("1 want given up"), "{}", dropped.out);
    assert_eq!(open(), Value::Array(vec![]));
    let told = shop.run(&["events", "list", "--of", "want", "--json"]).expect(0).json();
    assert_eq!((&told[0]["kind"], &told[0]["actor"]), (&"dropped".into(), &"ana".into()), "{told}");
    assert!(webhook(&up).is_acknowledged());
    wait_until("it is a new one", || open()[0]["id"].is_string() && open()[0]["id"] != id);
    assert_eq!(shop.run(&["dead", "list", "--json"]).expect(0).json(), Value::Array(vec![]));
}

/// An address nobody listens at.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn simulated_lives_are_read_back_and_end_in_the_truth_whatever_the_gateway_answers_on_the_way() {
    let shop = shop_that_asks(nobody());
    let up = shop.up();
    let url = format!("http://{}", up.ingress);
    let mut args =
        vec!["simulate", "--gateway", "mercado-pago", "--url", &url, "--payments", "90", "--check", "--json"];
    args.extend(["--shuffle", "--duplicate", "0.3", "--forge", "0.4", "--trouble", "0.05"]);
    args.extend(["--api", "down=2,limited=2,failing=2,absent=2"]);
    let report = shop.run(&args).expect(0).json();
    assert_eq!(report["differences"].as_array().map(Vec::len), Some(0));
    assert_eq!((&report["believed"], &report["unanswered"]), (&0.into(), &0.into()));
    let ways = report["ways"].as_array().unwrap();
    assert!(ways.len() > 10, "{report}");
    for way in ways {
        let expected = if way["way"] == "stranger's payment" { &way["taken"] } else { &way["refused"] };
        assert_eq!(expected, &way["sent"], "{way}");
    }
    let answers = &report["asked"]["answers"];
    assert!(answers["429"].as_u64().unwrap() >= 2 && answers["500"].as_u64().unwrap() >= 2, "{report}");
    assert_eq!(shop.run(&["dead", "list", "--json"]).expect(0).json(), Value::Array(vec![]));
    // The API went with the simulation.
    shop.run(&["rebuild", "--check"]).expect(0);
}

#[test]
fn who_cannot_be_played_is_told_what_is_missing() {
    let shop = Shop::with(
        "[accounts.loja]\ngateway = \"mercadopago\"\nmode = \"test\"\nsecrets = [{ file = \"secrets/loja\" }]\n",
    );
    shop.private("secrets/loja", SECRET);
    let told = |args: &[&str]| shop.run(&[&["simulate"], args].concat()).expect(2).err;
    let asks_nobody = told(&["--gateway", "mercado-pago", "--url", "http://127.0.0.1:1"]);
    assert!(asks_nobody.contains("add [accounts.loja.api]"), "{asks_nobody}");
    assert!(told(&["--gateway", "appmax"]).contains("expected one with an account in the configuration, got appmax"));
    assert!(told(&["--gateway", "paypal"]).contains("expected one of stripe, pagarme"));
    assert!(
        told(&["--gateway", "stripe", "--account", "loja"])
            .contains("expected an account at stripe, got loja at mercadopago")
    );
    assert!(told(&["--account", "loja", "--api", "up=3"]).contains("expected down=SECONDS"));
}
