//! A sync that fails: what it should have written can be read and is on no disk. Whoever takes it for written, in this process or
//! the next, loses what it writes behind it.

use std::time::Duration;

use afluente_model::{DeliveryId, Gateway};
use afluente_proof::Plan;
use afluente_queue::{EmbeddedOptions, PublishError, Queue, Sealed, Settlement, StorageError, embedded};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::books::look;
use crate::site::{Site, Twin, block_on};

fn message(number: u128) -> Sealed {
    let id = DeliveryId(Uuid::from_u128(number));
    Sealed { id, gateway: Gateway::Stripe, head: b"head".to_vec().into(), body: vec![7; 5_000].into() }
}

/// Publishes until the queue takes messages again.
async fn insist(queue: &Queue, number: u128) {
    let mut tries = 0;
    while queue.publish(message(number)).await.is_err() {
        tries += 1;
        assert!(tries < 500, "the queue never takes a message again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn ids(site: &Site) -> Vec<u128> {
    let mut ids: Vec<u128> =
        look(&site.path().join(embedded::QUEUE_FILE)).unwrap().into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    ids
}

/// What was acknowledged before a failed sync and after it, with a kill in between or without, outlives a cut.
fn outlives(seed: u64, failing: u64, killed: bool) {
    let site = Site::new(seed, Twin::None);
    let open = || Queue::open_embedded(EmbeddedOptions::new(site.path())).unwrap();
    let mut queue = open();
    block_on(async {
        queue.publish(message(1)).await.unwrap();
        site.disk.plan(Plan { fail_syncs: 0..failing, ..Plan::default() });
        assert!(queue.publish(message(2)).await.is_err());
        if killed {
            // The file's time must tell who wrote it last.
            tokio::time::sleep(Duration::from_millis(20)).await;
            site.disk.kill().unwrap();
            queue.close().await;
            queue = open();
        }
        insist(&queue, 3).await;
        insist(&queue, 4).await;
        site.disk.cut();
        queue.close().await;
    });
    assert_eq!(site.disk.counts().failed_syncs, failing);
    site.disk.power_on().unwrap();
    let queue = open();
    let found = ids(&site);
    assert!([1, 3, 4].iter().all(|id| found.contains(id)), "seed {seed}: acknowledged 1, 3 and 4, found {found:?}");
    block_on(queue.close());
}

#[test]
fn what_is_acknowledged_after_a_failed_sync_outlives_a_cut() {
    for seed in 0..20 {
        outlives(seed, 1 + seed % 3, false);
    }
}

#[test]
fn what_the_next_process_acknowledges_after_a_failed_sync_outlives_a_cut() {
    for seed in 0..20 {
        outlives(seed, 1, true);
    }
}

#[test]
fn while_its_file_cannot_be_opened_anew_a_queue_is_unhealthy_and_acknowledges_nothing() {
    let site = Site::new(1, Twin::None);
    let queue = Queue::open_embedded(EmbeddedOptions::new(site.path())).unwrap();
    let (file, aside) = (site.path().join(embedded::QUEUE_FILE), site.path().join("aside"));
    block_on(async {
        queue.publish(message(1)).await.unwrap();
        let held = queue.take_ready(1).await.unwrap();
        queue.publish(message(2)).await.unwrap();
        std::fs::rename(&file, &aside).unwrap();
        site.disk.plan(Plan { fail_syncs: 0..1, ..Plan::default() });
        assert!(queue.publish(message(3)).await.is_err());
        let error = queue.publish(message(4)).await.unwrap_err();
        assert!(matches!(&error, PublishError::Storage(StorageError::Unopened(_))), "{error:?}");
        let unhealthy = queue.health().unwrap_err();
        assert!(unhealthy.to_string().contains("unopened"), "{unhealthy}");
        assert!(queue.take_ready(1).await.is_err());
        std::fs::rename(&aside, &file).unwrap();
        insist(&queue, 5).await;
        assert!(queue.health().is_ok());
        // What was taken before is settled after.
        let settled = held.into_iter().map(|message| (message, Settlement::Ack)).collect();
        assert!(queue.settle(settled).await.iter().all(Result::is_ok));
        queue.close().await;
    });
    let found = ids(&site);
    assert!(!found.contains(&1) && found.contains(&2) && found.contains(&5), "{found:?}");
}

#[test]
fn a_settlement_that_shared_the_commit_whose_sync_failed_is_not_tried_again_on_the_file_in_doubt() {
    let site = Site::new(1, Twin::None);
    let (queue, mut steps) = Queue::open_stepped(&EmbeddedOptions::new(site.path()), 1).unwrap();
    block_on(async {
        let mut first = std::pin::pin!(queue.publish(message(1)));
        assert!(first.as_mut().now_or_never().is_none());
        steps.step(1);
        first.await.unwrap();
        let mut taking = std::pin::pin!(queue.take_ready(1));
        assert!(taking.as_mut().now_or_never().is_none());
        steps.step(1);
        let settled = taking.await.unwrap().into_iter().map(|message| (message, Settlement::Ack)).collect();
        let (mut settling, mut publishing) =
            (std::pin::pin!(queue.settle(settled)), std::pin::pin!(queue.publish(message(2))));
        assert!(settling.as_mut().now_or_never().is_none() && publishing.as_mut().now_or_never().is_none());
        site.disk.plan(Plan { fail_syncs: 0..1, ..Plan::default() });
        assert_eq!(steps.step(2), 2);
        assert!(matches!(publishing.await, Err(PublishError::Storage(StorageError::Io(_)))));
        assert!(settling.await.iter().all(Result::is_err), "it was committed where nothing is to be trusted");
    });
    drop(steps);
}
