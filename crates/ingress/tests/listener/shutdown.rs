//! Going down: nothing that got its success code is missing, and nobody hangs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use afluente_ingress::{Limits, RunError};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::{Client, post, signature, signed};
use crate::site::{NOON, SECRET, Site};

/// A client in the middle of a request: its head was read, its two bytes of body are still to come.
async fn busy(site: &Site) -> Client {
    let mut client = Client::connect(site.address).await;
    let headers = [("Expect", "100-continue"), ("Stripe-Signature", &*signature(b"{}", SECRET, NOON))];
    let mut head = post("/webhooks/stripe/main", &headers, b"{}");
    head.truncate(head.len() - 2);
    assert_eq!(client.call(head).await.status, 100);
    client
}

#[tokio::test]
async fn idle_connections_are_closed_at_once_and_new_ones_refused() {
    let mut site = Site::open().await;
    let mut fresh = Client::connect(site.address).await;
    let mut kept = Client::connect(site.address).await;
    assert_eq!(kept.call(signed(b"{}")).await.status, 200);
    site.stop();
    assert!(fresh.is_closed().await);
    assert!(kept.is_closed().await);
    assert_eq!(site.drained().await.cut_off, 0);
    assert!(TcpStream::connect(site.address).await.is_err());
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let mut site = Site::open().await;
    let mut client = busy(&site).await;
    site.stop();
    site.wait_until_closed_to_others().await;
    let answer = client.call(b"{}").await;
    assert_eq!(answer.status, 200);
    assert!(answer.has("connection: close"), "{answer:?}");
    assert!(client.is_closed().await);
    assert_eq!(site.drained().await.cut_off, 0);
    assert_eq!(site.deliveries().await.len(), 1);
}

#[tokio::test]
async fn whoever_is_busy_past_the_drain_is_cut_off_and_counted() {
    let short = Duration::from_millis(80);
    let mut site = Site::with_limits(Limits { publish: short, drain: short, ..Limits::default() }).await;
    let mut client = busy(&site).await;
    site.stop();
    assert_eq!(site.drained().await.cut_off, 1);
    assert!(client.is_closed().await);
    assert!(site.deliveries().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_every_success_is_on_the_queue_and_every_caller_is_let_go() {
    let mut site = Site::open().await;
    let accepted = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for caller in 0..16 {
        let (address, accepted) = (site.address, Arc::clone(&accepted));
        callers.spawn(async move {
            let mut client = Client::connect(address).await;
            let mut mine = Vec::new();
            for number in 0.. {
                let body = format!("{{\"id\":\"evt_{caller}_{number}\"}}");
                client.send(signed(body.as_bytes())).await;
                let Some(answer) = client.try_answer().await else { break };
                assert_eq!(answer.status, 200);
                mine.push(body);
                accepted.fetch_add(1, Ordering::Relaxed);
                if answer.has("connection: close") {
                    break;
                }
            }
            mine
        });
    }
    while accepted.load(Ordering::Relaxed) < 300 {
        tokio::task::yield_now().await;
    }
    site.stop();
    let told: BTreeSet<String> = callers.join_all().await.into_iter().flatten().collect();
    assert_eq!(site.drained().await.cut_off, 0);
    let stored: BTreeSet<String> =
        site.deliveries().await.iter().map(|delivery| String::from_utf8(delivery.body.to_vec()).unwrap()).collect();
    let missing: Vec<_> = told.difference(&stored).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn limits_that_cannot_work_are_refused_before_anything_is_served() {
    let mut site = Site::with_limits(Limits { connections: 0, ..Limits::default() }).await;
    let RunError::BadLimit(bad) = site.ended().await.unwrap_err();
    assert_eq!(bad.limit, "connections");
}
