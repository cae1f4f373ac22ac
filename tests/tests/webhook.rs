//! One webhook from the socket to the row, and everything that must not become one.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use afluente_tests::{PATH, Shop, event, exchange, post, send, unix_now, wait_until};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn a_signed_webhook_becomes_a_row_and_one_changed_byte_does_not() {
    let shop = Shop::new();
    let up = shop.up();
    let body = Shop::paid("one", 10_990);
    let signature = shop.sign(unix_now(), &body);
    let headers = [JSON, ("Stripe-Signature", signature.as_str())];
    assert_eq!(send(up.ingress, PATH, &headers, &body).status, 200);
    let mut changed = body.clone();
    let digit = changed.windows(5).position(|window| window == b"10990").unwrap();
    changed[digit + 4] = b'1';
    let refused = send(up.ingress, PATH, &headers, &changed);
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text.contains("wrong_signature"), "{refused:?}");
    wait_until("the payment is there", || shop.run(&["payments", "show", "pi_one"]).code == 0);
    let shown = shop.run(&["payments", "show", "pi_one", "--json"]).expect(0).json();
    assert_eq!(shown[0]["payment"]["status_v2"], "SUCCEEDED");
    assert_eq!(shown[0]["payment"]["captured_amount"], 10_990);
    assert_eq!(shown[0]["timeline"][0]["event_id"], "snapshot:evt_one");
    assert_eq!(shown[0]["timeline"][0]["proof"], "signed");
}

#[test]
fn the_same_webhook_again_only_counts() {
    let shop = Shop::new();
    let up = shop.up();
    let body = Shop::paid("again", 500);
    for _ in 0..3 {
        assert!(shop.deliver(up.ingress, &body).is_acknowledged());
    }
    wait_until("all three were counted", || shop.count("select coalesce(max(deliveries), 0) from webhook_dedupe") == 3);
    assert_eq!(shop.count("select count(*) from webhook_receipts"), 1);
    assert_eq!(shop.count("select row_version from payments"), 1);
}

#[test]
fn every_wrong_request_gets_its_status_a_line_of_json_and_no_receipt() {
    let shop = Shop::new();
    let mut up = shop.up();
    let body = Shop::paid("wrong", 500);
    let good = shop.sign(unix_now(), &body);
    let stale = shop.sign(unix_now() - 400, &body);
    let future = shop.sign(unix_now() + 400, &body);
    let two_t = format!("t=1,{good}");
    let case = |what: &str, status: u16, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        let answer = send(up.ingress, path, headers, body);
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        let line = answer.text.split("\r\n\r\n").nth(1).unwrap_or_default();
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{what}: {answer:?}");
        assert!(!answer.text.contains(&shop.secret), "{what}");
    };
    let with = |signature: &str| {
        vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Stripe-Signature".to_owned(), signature.to_owned()),
        ]
    };
    let refused = |what: &str, signature: &str| {
        let headers = with(signature);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        case(what, 400, PATH, &headers, &body);
    };
    refused("a stale stamp", &stale);
    refused("a stamp from the future", &future);
    refused("two t", &two_t);
    refused("nonsense", "bad_header");
    refused("the fake scheme only", &good.replace("v1=", "v0="));
    case("no signature", 400, PATH, &[JSON], &body);
    case("an empty body", 400, PATH, &[JSON, ("Stripe-Signature", &good)], b"");
    case("an unknown gateway", 404, "/webhooks/paypal/shop", &[JSON, ("Stripe-Signature", &good)], &body);
    case("an unknown account", 400, "/webhooks/stripe/other", &[JSON, ("Stripe-Signature", &good)], &body);
    case("another path", 404, "/", &[JSON], &body);
    case(
        "a form",
        415,
        PATH,
        &[("Content-Type", "application/x-www-form-urlencoded"), ("Stripe-Signature", &good)],
        &body,
    );
    case("a compressed body", 415, PATH, &[JSON, ("Content-Encoding", "gzip"), ("Stripe-Signature", &good)], &body);
    case("ten megabytes", 413, PATH, &[JSON, ("Stripe-Signature", &good)], &vec![b' '; 10 << 20]);
    let many = "x".repeat(64 << 10);
    assert_eq!(send(up.ingress, PATH, &[JSON, ("X-Large", &many)], &body).status, 431);
    let get = exchange(up.ingress, format!("GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
    assert_eq!(get.status, 405, "{get:?}");
    assert!(up.is_alive());
    assert_eq!(shop.count("select count(*) from webhook_receipts"), 0);
}

#[test]
fn slow_cut_and_endless_clients_are_let_go_and_the_rest_is_served() {
    let shop = Shop::new();
    let mut up = shop.up();
    let body = Shop::paid("slow", 500);
    let whole = post(PATH, &[JSON, ("Stripe-Signature", &shop.sign(unix_now(), &body))], &body);
    let mut half = TcpStream::connect(up.ingress).unwrap();
    half.write_all(&whole[..whole.len() - 20]).unwrap();
    let mut silent = TcpStream::connect(up.ingress).unwrap();
    let mut endless = TcpStream::connect(up.ingress).unwrap();
    write!(
        endless,
        "POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .unwrap();
    for _ in 0..200 {
        // The server may close at any moment, which ends the writing.
        if endless.write_all(&[b"4000\r\n".as_slice(), &[b' '; 0x4000], b"\r\n"].concat()).is_err() {
            break;
        }
    }
    assert!(shop.deliver(up.ingress, &Shop::paid("meanwhile", 500)).is_acknowledged());
    for (what, stream) in [("half a body", &mut half), ("silence", &mut silent), ("no end", &mut endless)] {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut text = Vec::new();
        // Ended by an answer, a close or a reset: not left hanging.
        let ended = stream.read_to_end(&mut text);
        assert!(
            ended.is_ok() || ended.unwrap_err().kind() == std::io::ErrorKind::ConnectionReset,
            "{what} was left hanging"
        );
        assert!(!String::from_utf8_lossy(&text).starts_with("HTTP/1.1 2"), "{what}");
    }
    for garbage in
        [b"\x16\x03\x01\x02\x00\x01\x00".as_slice(), b"GET\0\0\0", b"\xff\xfe\xfd\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"]
    {
        let answer = exchange(up.ingress, &[garbage, b"\r\n\r\n"].concat());
        assert!(!answer.is_acknowledged());
    }
    assert!(up.is_alive());
    assert!(shop.deliver(up.ingress, &body).is_acknowledged());
}

#[test]
fn proved_bodies_nobody_can_read_are_acknowledged_and_buried_with_a_reason() {
    let shop = Shop::new();
    let mut up = shop.up();
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let digits = "9".repeat(30);
    let intent = |amount: &str| {
        format!(
            r#"{{"id":"pi_x","object":"payment_intent","amount":{amount},"amount_received":{amount},"currency":"brl","status":"succeeded","livemode":false}}"#
        )
    };
    let bodies: Vec<Vec<u8>> = vec![
        b"[1,2,3]".to_vec(),
        b"\"text\"".to_vec(),
        b"{\"id\":\"evt_1\"".to_vec(),
        b"\xff\xfe{\"id\":1}".to_vec(),
        deep.into_bytes(),
        event("big", "payment_intent.succeeded", &intent(&digits)),
        event("negative", "payment_intent.succeeded", &intent("-5")),
        event("float", "payment_intent.succeeded", &intent("10.5")),
        event(
            "noid",
            "payment_intent.succeeded",
            r#"{"object":"payment_intent","amount":5,"currency":"brl","status":"succeeded","livemode":false}"#,
        ),
        event(
            "twice",
            "payment_intent.succeeded",
            r#"{"id":"pi_a","id":"pi_b","object":"payment_intent","amount":5,"amount_received":5,"currency":"brl","status":"succeeded","livemode":false}"#,
        ),
    ];
    for body in &bodies {
        let answer = shop.deliver(up.ingress, body);
        assert!(answer.is_acknowledged(), "{answer:?} for {}", String::from_utf8_lossy(&body[..body.len().min(80)]));
    }
    let buried = i64::try_from(bodies.len()).unwrap();
    wait_until("all are among the dead letters", || shop.count("select count(*) from dead_letters") == buried);
    assert_eq!(shop.count("select count(*) from dead_letters where reason = 'malformed'"), buried);
    assert_eq!(shop.count("select count(*) from payments"), 0);
    assert!(up.is_alive());
}

#[test]
fn unknown_types_and_words_are_kept_counted_and_shown() {
    let shop = Shop::new();
    let up = shop.up();
    assert!(
        shop.deliver(
            up.ingress,
            &event("type", "brand.new.event", r#"{"id":"xx_1","object":"brand_new","livemode":false}"#)
        )
        .is_acknowledged()
    );
    let odd = r#"{"id":"pi_odd","object":"payment_intent","amount":5,"amount_received":0,"currency":"brl","status":"half_paid","livemode":false}"#;
    assert!(shop.deliver(up.ingress, &event("word", "payment_intent.updated", odd)).is_acknowledged());
    wait_until("both are receipts", || shop.receipts().len() == 2);
    assert_eq!(
        shop.count(
            "select count(*) from webhook_receipts where state = 'IGNORED' and ignored_because = 'unknown_type'"
        ),
        1
    );
    assert_eq!(
        shop.count("select count(*) from payments where provider_payment_id = 'pi_odd' and status_v2 = 'UNKNOWN'"),
        1
    );
    assert_eq!(shop.count("select count(*) from unknown_words where word = 'half_paid'"), 1);
    let wants = shop.run(&["wants", "list", "--json"]).expect(0).json();
    assert_eq!(wants[0]["reference"], "pi_odd", "{wants}");
    let metrics = up.get("/metrics");
    assert!(metrics.contains("afluente_worker_unknown_words_total"), "{metrics}");
}

#[test]
fn metrics_carry_no_id_and_their_series_do_not_grow_with_traffic() {
    let shop = Shop::new();
    let up = shop.up();
    let deliver = |from: usize, to: usize| {
        for number in from..to {
            assert!(shop.deliver(up.ingress, &Shop::paid(&format!("m{number}"), 700)).is_acknowledged());
            assert_eq!(send(up.ingress, &format!("/webhooks/stripe/none{number}"), &[JSON], b"{}").status, 400);
            assert_eq!(send(up.ingress, PATH, &[JSON, ("Stripe-Signature", "t=1")], b"{}").status, 400);
        }
        wait_until("all were handled", || shop.receipts().len() == to);
        up.metrics()
    };
    let series = |page: &str| page.lines().filter(|line| !line.starts_with('#')).count();
    let before = deliver(0, 20);
    let after = deliver(20, 120);
    assert_eq!(series(&before), series(&after), "{after}");
    for secret in ["pi_m1", "evt_m1", "none1", "shop", &shop.secret] {
        assert!(!after.contains(secret), "{secret} is in the metrics");
    }
    assert!(up.get("/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn no_secret_reaches_the_log_even_at_its_finest() {
    let shop = Shop::with("[log]\nlevel = \"trace\"\n");
    let up = shop.up();
    let body = Shop::paid("quiet", 700);
    let signature = shop.sign(unix_now(), &body);
    assert!(shop.deliver(up.ingress, &body).is_acknowledged());
    let _ = send(
        up.ingress,
        PATH,
        &[JSON, ("Stripe-Signature", "t=1,v1=00"), ("Authorization", "Bearer sk_test_hidden")],
        &body,
    );
    let _ = shop.deliver(up.ingress, b"{\"customer\":\"Maria da Silva\"");
    wait_until("both were handled", || {
        shop.count("select (select count(*) from webhook_receipts) + (select count(*) from dead_letters)") == 2
    });
    let (code, log) = up.terminate();
    assert_eq!(code, 0);
    let digest = signature.split("v1=").nth(1).unwrap();
    for hidden in [shop.secret.as_str(), "sk_test_hidden", "Maria", digest, &"5".repeat(64)] {
        assert!(!log.contains(hidden), "{hidden} is in the log");
    }
}
