//! Callers that are slow, huge, broken or not speaking HTTP at all. The last thing each test does is an honest delivery.

use std::time::Duration;

use afluente_ingress::Limits;
use tokio::time::timeout;

use crate::client::{Client, DEADLINE, post, request, signature, signed};
use crate::site::{NOON, SECRET, Site};

const SHORT: Duration = Duration::from_millis(60);

/// A site with one place only, so that whoever is served next proves that the place was given back.
async fn narrow(change: impl FnOnce(&mut Limits)) -> Site {
    let mut limits = Limits { connections: 1, in_flight_requests: 1, linger: SHORT, ..Limits::default() };
    change(&mut limits);
    Site::with_limits(limits).await
}

async fn still_serves(site: Site, deliveries: usize) {
    assert_eq!(Client::connect(site.address).await.call(signed(b"{}")).await.status, 200);
    assert_eq!(site.deliveries().await.len(), deliveries + 1);
    site.close().await;
}

fn half_of_a_request() -> Vec<u8> {
    let mut bytes = signed(b"{\"id\":\"evt_1\"}");
    bytes.truncate(bytes.len() - 5);
    bytes
}

#[tokio::test]
async fn half_a_body_and_silence_is_told_and_its_place_given_back() {
    let site = narrow(|limits| limits.body_idle = SHORT).await;
    let mut client = Client::connect(site.address).await;
    let answer = client.call(half_of_a_request()).await;
    assert_eq!((answer.status, answer.error().as_str()), (408, "slow_body"));
    assert!(answer.has("connection: close"), "{answer:?}");
    assert!(client.is_closed().await);
    still_serves(site, 0).await;
}

#[tokio::test]
async fn a_body_that_trickles_for_ever_ends_at_the_deadline_of_the_whole() {
    let site = narrow(|limits| (limits.body_read, limits.body_idle) = (4 * SHORT, 4 * SHORT)).await;
    let mut client = Client::connect(site.address).await;
    let headers = [
        ("Content-Type", "application/json"),
        ("Transfer-Encoding", "chunked"),
        ("Stripe-Signature", &signature(b"{}", SECRET, NOON)),
    ];
    client.send(request("POST", "/webhooks/stripe/main", &headers, b"")).await;
    let mut answer = None;
    while answer.is_none() {
        client.send(b"1\r\n \r\n").await;
        answer = timeout(SHORT / 4, client.answer()).await.ok();
    }
    assert_eq!(answer.map(|answer| answer.status), Some(408));
    still_serves(site, 0).await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_told_and_closed() {
    let site = narrow(|limits| limits.header_read = SHORT).await;
    let mut client = Client::connect(site.address).await;
    let answer = client.call(b"POST /webhooks/stripe/main HTTP/1.1\r\nHost: aflu").await;
    assert_eq!((answer.status, answer.error().as_str()), (408, "slow_head"));
    assert!(client.is_closed().await);
    still_serves(site, 0).await;
}

#[tokio::test]
async fn a_caller_that_says_nothing_is_closed_without_a_word() {
    let site = narrow(|limits| limits.header_read = SHORT).await;
    assert!(Client::connect(site.address).await.is_closed().await);
    still_serves(site, 0).await;
}

#[tokio::test]
async fn a_caller_that_falls_silent_between_requests_is_closed_without_a_word() {
    let site = narrow(|limits| limits.keep_alive_idle = SHORT).await;
    let mut client = Client::connect(site.address).await;
    assert_eq!(client.call(signed(b"{}")).await.status, 200);
    assert!(client.is_closed().await);
    still_serves(site, 1).await;
}

#[tokio::test]
async fn a_caller_that_never_reads_its_answers_is_closed() {
    let site = narrow(|limits| limits.keep_alive_idle = 2 * SHORT).await;
    let mut client = Client::connect(site.address).await;
    let many = post("/nowhere", &[], b"{}").repeat(500);
    timeout(DEADLINE, async { while client.try_send(&many).await {} }).await.expect("closed in time");
    drop(client);
    still_serves(site, 0).await;
}

#[tokio::test]
async fn headers_without_measure_are_refused() {
    let site = narrow(|_| ()).await;
    let long = "x".repeat(100 << 10);
    let answer =
        Client::connect(site.address).await.call(post("/webhooks/stripe/main", &[("X-Long", &long)], b"{}")).await;
    assert_eq!((answer.status, answer.error().as_str()), (431, "head_too_large"));
    let many = vec![("X-Many", "1"); 200];
    let answer = Client::connect(site.address).await.call(post("/webhooks/stripe/main", &many, b"{}")).await;
    assert_eq!(answer.status, 431);
    let path = format!("/webhooks/stripe/{long}");
    assert_eq!(Client::connect(site.address).await.call(post(&path, &[], b"{}")).await.status, 431);
    still_serves(site, 0).await;
}

#[tokio::test]
async fn a_body_that_is_cut_off_reaches_nobody() {
    let site = narrow(|_| ()).await;
    let mut client = Client::connect(site.address).await;
    client.send(half_of_a_request()).await;
    client.finish_sending().await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "broken_body"));
    drop(client);

    let mut gone = Client::connect(site.address).await;
    gone.send(half_of_a_request()).await;
    drop(gone);
    still_serves(site, 0).await;
}

#[tokio::test]
async fn chunks_that_are_no_chunks_are_refused() {
    let site = narrow(|_| ()).await;
    let headers = [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")];
    for body in [&b"zz\r\n{}\r\n0\r\n\r\n"[..], b"ffffffffffffffffff\r\n", b"2\r\n{}XX0\r\n\r\n"] {
        let mut client = Client::connect(site.address).await;
        let answer = client.call(request("POST", "/webhooks/stripe/main", &headers, body)).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "broken_body"), "{body:?}");
    }
    still_serves(site, 0).await;
}

#[tokio::test]
async fn bytes_that_are_not_http_hurt_nobody() {
    let site = narrow(|limits| limits.header_read = SHORT).await;
    let noise: Vec<u8> = (0..4096_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\0\0",
        b"\r\n\r\n\r\n",
        b"POST\r\n\r\n",
        b"POST /webhooks/stripe/main HTTP/9.9\r\n\r\n",
        b"POST /webhooks/stripe/main HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /webhooks/stripe/main HTTP/1.1\r\nContent-Length : 2\r\n\r\n{}",
        b"CONNECT afluente:443 HTTP/1.1\r\n\r\n",
        &noise,
    ] {
        let mut client = Client::connect(site.address).await;
        client.send(garbage).await;
        if let Some(answer) = client.try_answer().await {
            assert!((400..=505).contains(&answer.status), "{garbage:?}: {answer:?}");
        }
    }
    still_serves(site, 0).await;
}

/// What something in front of us sends that is set up for another port, and what it is told.
#[tokio::test]
async fn what_is_meant_for_another_port_is_told_so_and_named_in_the_metrics() {
    let site = narrow(|limits| limits.header_read = 4 * SHORT).await;
    let request = String::from_utf8(signed(b"{}")).unwrap();
    let with_line = format!("PROXY TCP4 203.0.113.7 198.51.100.2 51234 8080\r\n{request}");
    let mut binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\xc6\x33\x64\x02\xc8\x22\x1f\x90".to_vec();
    binary.extend_from_slice(request.as_bytes());
    for (sent, status, error) in [
        (with_line.as_bytes(), 400, "proxy_protocol"),
        (&binary, 400, "proxy_protocol"),
        (&b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"[..], 400, "tls_hello"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0", 505, "http2"),
        (b"HELO mail.example\r\n", 400, "malformed_head"),
    ] {
        let mut client = Client::connect(site.address).await;
        let answer = client.call(sent).await;
        assert_eq!((answer.status, answer.error().as_str()), (status, error), "{answer:?}");
        assert!(answer.has("connection: close") && client.is_closed().await);
        site.wait_until(|page| {
            page.contains(&format!("outcome=\"{error}\"}} 1")) || page.contains(&format!("outcome=\"{error}\"}} 2"))
        })
        .await;
    }
    still_serves(site, 0).await;
}

#[tokio::test]
async fn a_bad_head_after_a_good_request_is_answered_without_harm_to_the_answer_before_it() {
    let site = narrow(|_| ()).await;
    let mut client = Client::connect(site.address).await;
    client.send([&signed(b"{}")[..], b"\x16\x03\x01 no request\r\n\r\n"].concat()).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.answer().await.status, 400);
    drop(client);
    still_serves(site, 1).await;
}
