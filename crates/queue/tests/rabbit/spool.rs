//! What an ingress takes while its broker is away.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use afluente_model::{Gateway, Proof};
use afluente_queue::{EmbeddedOptions, OpenError, PublishError, Queue, RabbitOptions};
use afluente_testkit::{Broker, Corner, Proxy};

use crate::site::{delivery, keys, message, number, open, open_to_be_killed, options, publish, take, until};
use crate::traffic::Traffic;

fn spooling(corner: &Corner, folder: &Path) -> RabbitOptions {
    RabbitOptions { spool: Some(EmbeddedOptions::new(folder)), ..options(corner) }
}

fn spooled(queue: &Queue) -> u64 {
    queue.spooled().unwrap().messages
}

#[tokio::test]
async fn deliveries_are_taken_while_the_broker_is_away_and_sent_when_it_is_back() {
    let (mut broker, folder) = (Broker::start(), tempfile::tempdir().unwrap());
    let corner = Corner::of(&broker.url());
    let worker = open_to_be_killed(&corner).await;
    let ingress = Queue::open_rabbit(spooling(&corner, folder.path())).unwrap();
    let traffic = Traffic::start(&ingress, &worker);
    traffic.flows().await;
    broker.kill_nine();
    traffic.flows().await;
    assert!(spooled(&ingress) > 0);
    let said = ingress.health().unwrap().unwrap().to_string();
    assert!(said.starts_with("the broker is away for ") && said.contains("deliveries wait in the spool"), "{said}");
    broker.again();
    until("the spool is empty", async || spooled(&ingress) == 0).await;
    assert!(ingress.health().unwrap().is_none());
    traffic.flows().await;
    traffic.arrives().await;
}

#[tokio::test]
async fn deliveries_are_taken_while_an_alarm_blocks_the_broker() {
    let (broker, folder) = (Broker::start(), tempfile::tempdir().unwrap());
    let corner = Corner::of(&broker.url());
    let (ingress, worker) = (Queue::open_rabbit(spooling(&corner, folder.path())).unwrap(), open(&corner).await);
    let traffic = Traffic::start(&ingress, &worker);
    traffic.flows().await;
    broker.ctl(&["set_vm_memory_high_watermark", "0.00001"]);
    until("the spool is used", async || spooled(&ingress) > 300).await;
    broker.ctl(&["set_vm_memory_high_watermark", "0.4"]);
    until("the spool is empty", async || spooled(&ingress) == 0).await;
    traffic.flows().await;
    traffic.arrives().await;
}

/// A broker nobody answers for.
fn nowhere(folder: &Path) -> RabbitOptions {
    let url = "amqp://127.0.0.1:9".parse().unwrap();
    RabbitOptions { spool: Some(EmbeddedOptions::new(folder)), ..RabbitOptions::new(url) }
}

#[tokio::test]
async fn what_an_ended_process_left_in_the_spool_is_sent_by_the_next_one() {
    let (corner, folder) = (Corner::of_the_shared_broker(), tempfile::tempdir().unwrap());
    let away = Queue::open_rabbit(nowhere(folder.path())).unwrap();
    publish(&away, 1..=100).await;
    let second = Queue::open_rabbit(nowhere(folder.path()));
    assert!(matches!(second, Err(OpenError::Locked { .. })), "a spool is one process's");
    let begun = Instant::now();
    away.close().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "a broker that is away is not waited for at a stop");
    let ingress = Queue::open_rabbit(spooling(&corner, folder.path())).unwrap();
    until("the spool is empty", async || spooled(&ingress) == 0).await;
    let taken = take(&open(&corner).await, 100).await;
    assert_eq!(taken.iter().map(number).collect::<BTreeSet<_>>(), (1..=100).collect());
}

#[tokio::test]
async fn a_full_spool_refuses_and_hints_never_enter_it() {
    let folder = tempfile::tempdir().unwrap();
    let spool = EmbeddedOptions { limit_bytes: 3_000, ..EmbeddedOptions::new(folder.path()) };
    let ingress = Queue::open_rabbit(RabbitOptions { spool: Some(spool), ..nowhere(folder.path()) }).unwrap();
    let mut hint = delivery(Gateway::Appmax, 1);
    hint.proof = Proof::PathToken;
    let refused = ingress.publish(keys().seal(&hint)).await;
    assert!(matches!(refused, Err(PublishError::Away { .. })), "{refused:?}");
    assert_eq!(spooled(&ingress), 0);
    let mut refused = Ok(());
    for number in 0..100 {
        refused = ingress.publish(message(number)).await;
        if refused.is_err() {
            break;
        }
    }
    assert!(matches!(refused, Err(PublishError::Full { .. })), "{refused:?}");
    assert!(spooled(&ingress) > 0);
}

#[tokio::test]
async fn an_orphaned_spool_is_poured_into_the_broker() {
    let (corner, folder) = (Corner::of_the_shared_broker(), tempfile::tempdir().unwrap());
    let away = Queue::open_rabbit(nowhere(folder.path())).unwrap();
    publish(&away, 1..=150).await;
    away.close().await;
    let (orphan, broker) = (Queue::open_embedded(EmbeddedOptions::new(folder.path())).unwrap(), open(&corner).await);
    let mut moved = 0;
    while moved < 150 {
        let poured = orphan.pour_into(&broker).await.unwrap();
        assert!(poured.refused.is_none(), "{poured:?}");
        moved += poured.moved;
    }
    assert_eq!(orphan.depth().unwrap().total().ready, 0);
    let taken = take(&broker, 150).await;
    assert_eq!(taken.iter().map(number).collect::<BTreeSet<_>>(), (1..=150).collect());
}

#[tokio::test]
async fn a_spool_that_filled_its_disk_is_emptied_all_the_same() {
    let (corner, folder) = (Corner::of_the_shared_broker(), tempfile::tempdir().unwrap());
    let port = corner.port();
    let network = Proxy::to(9);
    let url = format!("amqp://guest:guest@127.0.0.1:{}", network.port()).parse().unwrap();
    let spool = EmbeddedOptions { max_pages: Some(32), ..EmbeddedOptions::new(folder.path()) };
    let ingress = Queue::open_rabbit(RabbitOptions { url, spool: Some(spool), ..options(&corner) }).unwrap();
    let (mut taken, mut refused) = (0, Ok(()));
    while refused.is_ok() {
        refused = ingress.publish(message(taken)).await;
        taken += u128::from(refused.is_ok());
    }
    assert!(matches!(refused, Err(PublishError::Storage(_))), "{refused:?}");
    assert!(ingress.health().is_err(), "it takes nothing any more, and says so");
    network.lead_to(port);
    until("the spool is empty", async || spooled(&ingress) == 0).await;
    let count = usize::try_from(taken).unwrap();
    let arrived = take(&open(&corner).await, count).await;
    assert_eq!(arrived.iter().map(number).collect::<BTreeSet<_>>(), (0..taken).collect());
}
