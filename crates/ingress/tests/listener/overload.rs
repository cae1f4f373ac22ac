//! More than can be taken: told at once, with a time to come back, and nothing is taken that is not durable.

use std::time::Duration;

use afluente_ingress::Limits;
use tokio::time::timeout;

use crate::client::{Answer, Client, DEADLINE, post, signature, signed};
use crate::site::{NOON, SECRET, Site};

#[track_caller]
fn is_try_again(answer: &Answer, error: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (503, error), "{answer:?}");
    assert!(answer.has("retry-after: 5"), "{answer:?}");
}

#[tokio::test]
async fn past_the_bound_of_connections_callers_wait_and_are_served_when_one_leaves() {
    let site = Site::with_limits(Limits { connections: 2, ..Limits::default() }).await;
    let mut first = Client::connect(site.address).await;
    let mut second = Client::connect(site.address).await;
    assert_eq!(first.call(signed(b"{}")).await.status, 200);
    assert_eq!(second.call(signed(b"{}")).await.status, 200);
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(site.address).await;
        client.send(signed(b"{}")).await;
        waiting.push(client);
    }
    assert!(timeout(Duration::from_millis(50), waiting[0].answer()).await.is_err());
    drop((first, second));
    for mut client in waiting {
        assert_eq!(client.answer().await.status, 200);
    }
    assert_eq!(site.deliveries().await.len(), 22);
    site.close().await;
}

#[tokio::test]
async fn past_the_bound_of_bytes_a_body_is_turned_away_and_the_bytes_come_back() {
    let limits = Limits { body_bytes: 1000, in_flight_body_bytes: 1000, ..Limits::default() };
    let site = Site::with_limits(limits).await;
    let mut slow = Client::connect(site.address).await;
    let mut half = signed(&[b' '; 900]);
    let rest = half.split_off(half.len() - 200);
    slow.send(half).await;
    let mut client = Client::connect(site.address).await;
    let mut taken = 0;
    let refused = timeout(DEADLINE, async {
        loop {
            match client.call(signed(&[b' '; 400])).await {
                answer if answer.status == 200 => taken += 1,
                answer => break answer,
            }
        }
    });
    is_try_again(&refused.await.expect("the held bytes count"), "busy");
    assert_eq!(slow.call(rest).await.status, 200);
    // The queue may hold the bytes a moment longer than the sender waits for its answer.
    let back = async { while Client::connect(site.address).await.call(signed(&[b' '; 900])).await.status != 200 {} };
    timeout(DEADLINE, back).await.expect("the bytes come back");
    assert_eq!(site.deliveries().await.len(), taken + 2);
    site.close().await;
}

#[tokio::test]
async fn announcing_a_large_body_takes_nothing_from_others() {
    let limits = Limits { body_bytes: 1000, in_flight_body_bytes: 1000, ..Limits::default() };
    let site = Site::with_limits(limits).await;
    let mut boaster = Client::connect(site.address).await;
    let headers = [("Expect", "100-continue"), ("Stripe-Signature", &*signature(b"", SECRET, NOON))];
    let mut head = post("/webhooks/stripe/main", &headers, &[b' '; 1000]);
    head.truncate(head.len() - 1000);
    assert_eq!(boaster.call(head).await.status, 100);
    assert_eq!(Client::connect(site.address).await.call(signed(&[b' '; 1000])).await.status, 200);
    drop(boaster);
    site.close().await;
}

#[tokio::test]
async fn while_the_queue_stalls_the_bound_of_requests_holds_and_the_rest_are_told_at_once() {
    let limits = Limits { in_flight_requests: 1, publish: Duration::from_secs(15), ..Limits::default() };
    let site = Site::with_limits(limits).await;
    let stall = site.stall_queue();
    let mut held = Client::connect(site.address).await;
    held.send(signed(b"{\"held\":true}")).await;
    site.wait_until(|metrics| metrics.contains("afluente_ingress_in_flight 1")).await;
    let mut turned_away = Client::connect(site.address).await;
    is_try_again(&turned_away.call(signed(b"{}")).await, "busy");
    drop(stall);
    assert_eq!(held.answer().await.status, 200);
    assert_eq!(turned_away.call(signed(b"{}")).await.status, 200);
    assert_eq!(site.deliveries().await.len(), 2);
    site.close().await;
}

#[tokio::test]
async fn a_queue_that_does_not_confirm_in_time_is_told_as_try_again() {
    let site = Site::with_limits(Limits { publish: Duration::from_millis(50), ..Limits::default() }).await;
    let stall = site.stall_queue();
    let mut client = Client::connect(site.address).await;
    is_try_again(&client.call(signed(b"{}")).await, "queue_slow");
    drop(stall);
    site.close().await;
}

#[tokio::test]
async fn bytes_the_queue_still_has_count_after_their_request_was_answered() {
    let limits = Limits {
        body_bytes: 1000,
        in_flight_body_bytes: 1000,
        publish: Duration::from_millis(50),
        ..Limits::default()
    };
    let site = Site::with_limits(limits).await;
    let stall = site.stall_queue();
    let mut client = Client::connect(site.address).await;
    // The first is being written, the second waits behind it; nobody waits for either any more.
    is_try_again(&client.call(signed(&[b' '; 600])).await, "queue_slow");
    is_try_again(&client.call(signed(&[b' '; 300])).await, "queue_slow");
    is_try_again(&client.call(signed(&[b' '; 300])).await, "busy");
    drop(stall);
    let taken = timeout(DEADLINE, async {
        while client.call(signed(&[b' '; 900])).await.status != 200 {
            tokio::task::yield_now().await;
        }
    });
    taken.await.expect("the bytes come back");
    site.close().await;
}

#[tokio::test]
async fn a_full_queue_is_told_as_try_again_and_takes_more_when_it_has_room() {
    let site = Site::with_queue(|queue| queue.limit_bytes = 3000).await;
    let mut client = Client::connect(site.address).await;
    let mut accepted = 0;
    let refused = loop {
        match client.call(signed(b"{\"some\":\"body\"}")).await {
            answer if answer.status == 200 => accepted += 1,
            answer => break answer,
        }
    };
    is_try_again(&refused, "queue_full");
    assert!(accepted > 0);
    assert_eq!(site.deliveries().await.len(), accepted);
    assert_eq!(client.call(signed(b"{}")).await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn a_queue_whose_disk_is_full_is_told_as_try_again_and_keeps_what_it_confirmed() {
    let site = Site::with_queue(|queue| queue.max_pages = Some(20)).await;
    let mut client = Client::connect(site.address).await;
    let mut accepted = 0;
    let refused = loop {
        match client.call(signed(&[b' '; 4000])).await {
            answer if answer.status == 200 => accepted += 1,
            answer => break answer,
        }
    };
    is_try_again(&refused, "queue_failed");
    assert!(accepted > 0);
    assert_eq!(site.deliveries().await.len(), accepted);
    site.close().await;
}

#[tokio::test]
async fn a_closed_queue_is_told_as_try_again() {
    let site = Site::open().await;
    site.close_queue().await;
    is_try_again(&Client::connect(site.address).await.call(signed(b"{}")).await, "queue_closed");
    site.close().await;
}

#[tokio::test]
async fn nothing_callers_send_makes_a_new_series_and_every_success_was_confirmed() {
    let site = Site::open().await;
    let before = site.series();
    let mut client = Client::connect(site.address).await;
    for number in 0..200 {
        client.call(signed(format!("{{\"id\":\"evt_{number}\"}}").as_bytes())).await;
        client.call(post(&format!("/webhooks/stripe/account-{number}"), &[], b"{}")).await;
        client.call(post(&format!("/webhooks/gateway-{number}/main"), &[], b"{}")).await;
    }
    assert_eq!(site.series(), before);
    let metrics = site.metrics();
    for line in [
        "afluente_ingress_requests_total{gateway=\"stripe\",outcome=\"accepted\"} 200",
        "afluente_ingress_confirmed_total{gateway=\"stripe\"} 200",
        "afluente_ingress_requests_total{gateway=\"stripe\",outcome=\"unknown_account\"} 200",
        "afluente_ingress_requests_total{gateway=\"none\",outcome=\"not_found\"} 200",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    site.close().await;
}

#[tokio::test]
async fn past_what_may_come_unsigned_in_a_second_an_account_is_told_to_wait_and_another_is_not() {
    let site = Site::with_limits(Limits { unproved_per_second: 2, ..Limits::default() }).await;
    site.reload_unsigned(&[("loja", "token-of-loja"), ("other", "token-of-other")]);
    let mut client = Client::connect(site.address).await;
    let hint = |path: &str| post(path, &[], b"{}");
    let mut taken = 0;
    let refused = timeout(DEADLINE, async {
        loop {
            match client.call(hint("/webhooks/appmax/loja/token-of-loja")).await {
                answer if answer.status == 200 => taken += 1,
                answer => break answer,
            }
        }
    });
    let refused = refused.await.expect("more than two a second are sent");
    assert_eq!((refused.status, &*refused.error()), (429, "too_many"));
    assert!(refused.has("retry-after: 5"), "{refused:?}");
    assert_eq!(client.call(hint("/webhooks/appmax/other/token-of-other")).await.status, 200);
    assert_eq!(site.deliveries().await.len(), taken + 1);
    site.close().await;
}
