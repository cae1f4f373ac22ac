//! A gateway that answers badly or not at all: the question stays open, with how it went and when it is asked next.

use std::time::Duration;

use afluente_model::{WantKind, WantReason};

use super::gateway::{Gateway, Say, raw};
use super::site::{Site, access, intent};

/// How one question stands after it was answered like this once.
async fn after(say: Say) -> (String, i64) {
    let gateway = Gateway::that_says(vec![say]).await;
    asked_at(&gateway.base()).await
}

/// The outcome, and for how many seconds it is left alone.
async fn asked_at(base: &str) -> (String, i64) {
    let site = Site::open().await;
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    let running = site.asks(access(base));
    let open = site.asked_times(1).await;
    running.stop().await;
    assert_eq!(site.payment("pi_1").await, None);
    let rest = open.due_at.micros_since(afluente_worker::now());
    (open.last_outcome.unwrap(), (rest + 999_999) / 1_000_000)
}

fn status(status: u16, headers: &[(&'static str, &str)], body: &str) -> Say {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Say::Status(status, headers, body.to_owned())
}

#[tokio::test]
async fn every_bad_answer_keeps_the_question_with_a_word_and_a_moment() {
    let own = |id: &str| Say::json(200, &intent(id));
    let cases: Vec<(&str, Say, &str, std::ops::RangeInclusive<i64>)> = vec![
        ("not there", Say::json(404, "{}"), "absent", 0..=1),
        ("too many", status(429, &[("retry-after", "30")], ""), "limited", 28..=30),
        ("unknown token", Say::json(401, "{}"), "unauthorized", 0..=1),
        ("no right", Say::json(403, "{}"), "forbidden", 3_590..=3_600),
        ("wrong request", Say::json(400, "{}"), "refused", 5..=8),
        ("broken", Say::json(500, "<html>"), "failed", 0..=1),
        ("away", status(503, &[("retry-after", "20")], ""), "failed", 18..=20),
        ("elsewhere", status(302, &[("location", "http://127.0.0.1:1/")], ""), "redirected", 5..=8),
        ("garbage", Say::json(200, "<html>hello</html>"), "unusable", 5..=8),
        ("cut JSON", Say::json(200, "{\"id\":\"pi_1\""), "unusable", 5..=8),
        ("another's", own("pi_2"), "unusable", 5..=8),
        ("huge", Say::json(200, &"x".repeat(5 << 20)), "too_large", 5..=8),
        ("late", Say::Late(Duration::from_secs(5), Box::new(own("pi_1"))), "timed_out", 0..=1),
        ("hung up", Say::HangUp, "cut", 0..=1),
    ];
    for (name, say, expected, rest) in cases {
        let (outcome, seconds) = after(say).await;
        assert_eq!(outcome, expected, "{name}");
        assert!(rest.contains(&seconds), "{name}: {seconds}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_http_or_is_not_there_is_no_answer() {
    for (bytes, expected) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\":"[..], "cut"),
        (b"SSH-2.0-OpenSSH\r\n", "cut"),
        (b"", "cut"),
    ] {
        let (address, server) = raw(bytes).await;
        assert_eq!(asked_at(&format!("http://{address}")).await.0, expected);
        server.abort();
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(asked_at(&format!("http://{nobody}")).await.0, "unreachable");
}

#[tokio::test]
async fn what_lags_behind_its_notice_is_asked_again_within_seconds() {
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![Say::json(404, "{}"), Say::json(200, &intent("pi_1"))]).await;
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    let running = site.asks(access(&gateway.base()));
    site.all_answered().await;
    running.stop().await;
    assert_eq!(site.payment("pi_1").await, Some(("SUCCEEDED".to_owned(), 1_000)));
    let counts = site.store.counts().await.unwrap();
    assert_eq!((counts.receipts, counts.ignored), (2, 1), "that it was not there is kept as well");
}

#[tokio::test]
async fn a_gateway_that_is_away_is_probed_and_answers_all_when_it_is_back() {
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![Say::json(503, "")]).await;
    let ids: Vec<String> = (0..20).map(|n| format!("pi_{n}")).collect();
    for id in &ids {
        site.wants(WantKind::PaymentIntent, id, WantReason::Hint).await;
    }
    let running = site.asks(access(&gateway.base()));
    gateway.asked_times(5).await;
    // The length of the outage.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let while_away = gateway.asked().len();
    assert!(while_away <= 12, "{while_away} calls to a gateway that is away");
    // It answers whatever is asked: the path says what.
    gateway.says(vec![Say::json(404, "{}")]);
    site.open_when(|open| open.iter().all(|want| want.last_outcome.as_deref() == Some("absent"))).await;
    running.stop().await;
    assert_eq!(site.store.wants(None, 100).await.unwrap().len(), ids.len(), "none was given up");
}

#[tokio::test]
async fn a_question_no_call_answers_waits_for_a_person() {
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![Say::json(200, "{}")]).await;
    site.wants(WantKind::Plan, "plan_1", WantReason::Hint).await;
    site.wants(WantKind::PaymentIntent, "../secrets", WantReason::Hint).await;
    let running = site.asks(access(&gateway.base()));
    let open = site.open_when(|open| open.iter().all(|want| want.attempts == 1)).await;
    running.stop().await;
    assert!(open.iter().all(|want| want.last_outcome.as_deref() == Some("impossible")), "{open:?}");
    assert_eq!(gateway.asked().len(), 0);
}
