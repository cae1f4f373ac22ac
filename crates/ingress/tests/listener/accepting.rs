//! What is taken, and that it is on the queue.

use afluente_model::Proof;

use crate::client::{Client, chunked, post, request, signature, signed, signed_with};
use crate::site::{NOON, OTHER_SECRET, SECRET, Site};

#[tokio::test]
async fn a_signed_body_is_on_the_queue_byte_for_byte_when_the_success_code_comes() {
    let site = Site::open().await;
    let body = b"{\"id\":\"evt_1\",\"object\":\"event\"}  \r\n";
    let answer = Client::connect(site.address).await.call(signed(body)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let deliveries = site.deliveries().await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].body.as_ref(), body);
    assert_eq!(deliveries[0].account.as_str(), "main");
    assert_eq!(deliveries[0].received_at.as_seconds(), NOON);
    assert!(matches!(deliveries[0].proof, Proof::Signed { .. }));
    site.close().await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_taken_if_they_are_signed() {
    let site = Site::open().await;
    let body = b"\xff\xfe\x00 not json, not UTF-8 \x80";
    assert_eq!(Client::connect(site.address).await.call(signed(body)).await.status, 200);
    assert_eq!(site.deliveries().await[0].body.as_ref(), body);
    site.close().await;
}

#[tokio::test]
async fn a_path_the_gateway_was_told_before_leads_to_its_account_byte_for_byte() {
    let site = Site::open().await;
    let header = [("Stripe-Signature", &*signature(b"{}", SECRET, NOON))];
    let post_to = async |path| Client::connect(site.address).await.call(post(path, &header, b"{}")).await.status;
    assert_eq!(post_to("/api/main/stripe%20hook/").await, 200);
    assert_eq!(post_to("/api/main/stripe%20hook/?a=b").await, 200, "a query is no part of a path");
    for other in
        ["/api/main/stripe%20hook", "/api/main/stripe hook/", "/API/main/stripe%20hook/", "/api/main/stripe%20hook//"]
    {
        assert_ne!(post_to(other).await, 200, "{other}");
    }
    let accounts: Vec<String> =
        site.deliveries().await.iter().map(|delivery| delivery.account.as_str().to_owned()).collect();
    assert_eq!(accounts, ["main", "main"]);
    site.close().await;
}

#[tokio::test]
async fn a_body_in_chunks_and_in_pieces_is_put_together() {
    let site = Site::open().await;
    let body: Vec<u8> = (0..200_000_u32).map(|n| b'a' + u8::try_from(n % 26).unwrap()).collect();
    let mut client = Client::connect(site.address).await;
    assert_eq!(client.call(chunked(&body, 1000)).await.status, 200);
    assert_eq!(client.call(chunked(b"{}", 1)).await.status, 200);
    let mut whole = signed(&body);
    let rest = whole.split_off(100_000);
    client.send(whole).await;
    assert_eq!(client.call(rest).await.status, 200);
    let bodies: Vec<_> = site.deliveries().await.into_iter().map(|delivery| delivery.body).collect();
    assert_eq!(bodies, [body.clone(), b"{}".to_vec(), body]);
    site.close().await;
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_their_order() {
    let site = Site::open().await;
    let mut client = Client::connect(site.address).await;
    let mut ahead = signed(b"{\"n\":1}");
    ahead.extend(post("/webhooks/stripe/nobody", &[], b"{}"));
    ahead.extend(signed(b"{\"n\":2}"));
    client.send(ahead).await;
    let statuses = [client.answer().await.status, client.answer().await.status, client.answer().await.status];
    assert_eq!(statuses, [200, 400, 200]);
    assert_eq!(site.deliveries().await.len(), 2);
    site.close().await;
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_survives_small_refusals() {
    let site = Site::open().await;
    let mut client = Client::connect(site.address).await;
    for number in 0..20 {
        assert_eq!(client.call(signed(format!("{{\"n\":{number}}}").as_bytes())).await.status, 200);
        assert_eq!(client.call(signed_with(b"{}", OTHER_SECRET)).await.status, 400);
        assert_eq!(client.call(post("/nowhere", &[], b"{}")).await.status, 404);
    }
    assert_eq!(site.deliveries().await.len(), 20);
    site.close().await;
}

#[tokio::test]
async fn a_caller_that_asks_first_is_told_to_continue_only_if_the_body_is_wanted() {
    let site = Site::open().await;
    let mut client = Client::connect(site.address).await;
    let headers = [("Expect", "100-continue"), ("Stripe-Signature", &signature(b"{}", SECRET, NOON))];
    let mut wanted = post("/webhooks/stripe/main", &headers, b"{}");
    let body = wanted.split_off(wanted.len() - 2);
    assert_eq!(client.call(wanted).await.status, 100);
    assert_eq!(client.call(body).await.status, 200);

    let mut unwanted = post("/nowhere", &headers, b"{}");
    unwanted.truncate(unwanted.len() - 2);
    let answer = client.call(unwanted).await;
    assert_eq!(answer.status, 404);
    assert!(answer.has("connection: close"), "{answer:?}");
    assert!(client.is_closed().await);
    site.close().await;
}

#[tokio::test]
async fn a_caller_that_closes_its_side_after_sending_still_gets_its_answer() {
    let site = Site::open().await;
    let mut client = Client::connect(site.address).await;
    client.send(signed(b"{}")).await;
    client.finish_sending().await;
    assert_eq!(client.answer().await.status, 200);
    assert!(client.is_closed().await);
    assert_eq!(site.deliveries().await.len(), 1);
    site.close().await;
}

#[tokio::test]
async fn what_travels_is_what_the_gateway_needs_and_no_credential() {
    let site = Site::open().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let signature = signature(b"{}", SECRET, NOON);
    let headers = [
        ("Stripe-Signature", signature.as_str()),
        ("Authorization", "Bearer sk_live_secret"),
        ("Cookie", "session=secret"),
        ("Traceparent", trace),
    ];
    let answer = Client::connect(site.address).await.call(post("/webhooks/stripe/main?a=b", &headers, b"{}")).await;
    assert_eq!(answer.status, 200);
    let delivery = site.deliveries().await.remove(0);
    assert_eq!(delivery.traceparent.as_deref(), Some(trace));
    assert!(!format!("{:?}", delivery.headers).contains("secret"));
    site.close().await;
}

#[tokio::test]
async fn a_reload_swaps_secrets_between_two_requests_of_one_connection() {
    let site = Site::open().await;
    let mut client = Client::connect(site.address).await;
    assert_eq!(client.call(signed(b"{}")).await.status, 200);
    site.reload(&[("main", &[OTHER_SECRET])]);
    assert_eq!(client.call(signed(b"{}")).await.status, 400);
    assert_eq!(client.call(signed_with(b"{}", OTHER_SECRET)).await.status, 200);
    site.reload(&[("main", &[SECRET, OTHER_SECRET])]);
    assert_eq!(client.call(signed(b"{}")).await.status, 200);
    assert_eq!(client.call(signed_with(b"{}", OTHER_SECRET)).await.status, 200);
    site.reload(&[]);
    assert_eq!(client.call(signed(b"{}")).await.status, 400);
    site.close().await;
}

#[tokio::test]
async fn an_absolute_target_and_http_1_0_are_understood() {
    let site = Site::open().await;
    let headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", "2"),
        ("Stripe-Signature", &signature(b"{}", SECRET, NOON)),
    ];
    let absolute = request("POST", "http://afluente/webhooks/stripe/main", &headers, b"{}");
    assert_eq!(Client::connect(site.address).await.call(absolute).await.status, 200);
    let old = String::from_utf8(signed(b"{}")).unwrap().replace("HTTP/1.1", "HTTP/1.0");
    let mut client = Client::connect(site.address).await;
    assert_eq!(client.call(old).await.status, 200);
    assert!(client.is_closed().await);
    site.close().await;
}
