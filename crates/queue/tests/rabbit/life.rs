//! A message's life on a broker that is well.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use afluente_model::{Delivery, Gateway, Proof};
use afluente_queue::{PublishError, Queue, QueueError, RabbitOptions, Settlement, Undecodable, Unhealthy};
use afluente_testkit::Corner;
use lapin::BasicProperties;
use lapin::options::{BasicGetOptions, BasicRejectOptions};
use lapin::types::FieldTable;
use tokio::task::JoinSet;

use crate::site::{
    DEADLINE, acknowledge, delivery, keys, message, number, open, options, publish, take, take_one, until,
};

#[tokio::test]
async fn what_is_confirmed_comes_out_byte_for_byte_and_is_gone_once_acknowledged() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    let sent = delivery(Gateway::Stripe, 1);
    queue.publish(keys().seal(&sent)).await.unwrap();
    let one = take_one(&queue).await;
    assert_eq!((one.id(), one.gateway(), one.attempt()), (sent.id, Gateway::Stripe, 0));
    let opened = keys().open(one.head(), one.body().clone()).unwrap();
    assert_eq!((opened.body, opened.headers), (sent.body, sent.headers));
    acknowledge(&queue, vec![one]).await;
    queue.close().await;
    assert_eq!(corner.looked_at("stripe").await, Some((0, 0)));
}

#[tokio::test]
async fn many_publishers_and_takers_lose_and_double_nothing() {
    let corner = Corner::of_the_shared_broker();
    let (ingress, worker) = (open(&corner).await, open(&corner).await);
    let mut publishing = JoinSet::new();
    for publisher in 0..64 {
        let ingress = ingress.clone();
        publishing.spawn(async move { publish(&ingress, (0..50).map(|at| publisher * 50 + at)).await });
    }
    let mut seen = BTreeSet::new();
    while seen.len() < 3_200 {
        let taken = tokio::time::timeout(DEADLINE, worker.take(256, Duration::ZERO)).await.unwrap().unwrap();
        assert!(taken.iter().all(|one| seen.insert(number(one))), "one came twice");
        acknowledge(&worker, taken).await;
    }
    publishing.join_all().await;
    worker.close().await;
    assert_eq!(corner.looked_at("stripe").await, Some((0, 0)));
}

#[tokio::test]
async fn every_gateway_has_a_queue_and_unsigned_hints_one_of_their_own() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    for (number, gateway) in (1..).zip(Gateway::ALL) {
        queue.publish(keys().seal(&delivery(*gateway, number))).await.unwrap();
        let mut hint = delivery(*gateway, 100 + number);
        hint.proof = Proof::PathToken;
        queue.publish(keys().seal(&hint)).await.unwrap();
    }
    for (name, count) in [
        ("stripe", 2),
        ("appmax", 1),
        ("appmax.hints", 1),
        ("mercadopago.hints", 1),
        ("pagarme", 1),
        ("pagarme.hints", 1),
    ] {
        assert_eq!(corner.looked_at(name).await, Some((count, 0)), "{name}");
    }
    let taken = take(&queue, 10).await;
    for one in &taken {
        let opened = keys().open(one.head(), one.body().clone()).unwrap();
        assert_eq!((opened.id, opened.gateway), (one.id(), one.gateway()));
    }
    acknowledge(&queue, taken).await;
}

#[tokio::test]
async fn a_hint_that_an_older_ingress_sent_with_what_is_proved_is_read_as_a_hint() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    let hint = Delivery { proof: Proof::PathToken, ..delivery(Gateway::Appmax, 1) };
    queue.publish(keys().seal(&hint)).await.unwrap();
    let sent = corner.get("appmax.hints").await.unwrap();
    corner.publish("appmax", sent.delivery.properties.clone(), &sent.delivery.data).await;
    assert_eq!(corner.looked_at("appmax").await, Some((1, 0)), "it stands where no hint stands today");
    let one = take_one(&queue).await;
    let opened = keys().open(one.head(), one.body().clone()).unwrap();
    assert_eq!((opened.id, opened.proof), (hint.id, Proof::PathToken));
    acknowledge(&queue, vec![one]).await;
}

#[tokio::test]
async fn a_retry_comes_back_after_its_time_with_its_tries_counted() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    publish(&queue, [1]).await;
    let one = take_one(&queue).await;
    let asked = Instant::now();
    queue.settle(vec![(one, Settlement::RetryAfter(Duration::from_secs(5)))]).await.remove(0).unwrap();
    assert_eq!(corner.looked_at("retry.5s").await, Some((1, 0)));
    let one = take_one(&queue).await;
    assert!(asked.elapsed() >= Duration::from_secs(5));
    assert_eq!((number(&one), one.attempt()), (1, 1));
    keys().open(one.head(), one.body().clone()).unwrap();
    acknowledge(&queue, vec![one]).await;
}

#[tokio::test]
async fn what_is_dropped_or_released_comes_back_uncounted_after_a_moment() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    publish(&queue, [1, 2, 3]).await;
    let mut taken = take(&queue, 3).await;
    let begun = Instant::now();
    drop(taken.pop());
    taken.remove(0).release();
    let back = take(&queue, 2).await;
    assert!(begun.elapsed() >= Duration::from_millis(900), "at once it would be here again at once");
    assert!(back.iter().all(|one| one.attempt() == 0));
    assert_eq!(back.iter().map(number).collect::<BTreeSet<_>>(), BTreeSet::from([1, 3]));
    acknowledge(&queue, back).await;
    acknowledge(&queue, taken).await;
}

#[tokio::test]
async fn what_nobody_takes_goes_back_for_others_and_is_fetched_again_when_wanted() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    publish(&queue, 1..=10).await;
    let held = take(&queue, 1).await;
    until("the rest goes back", async || corner.looked_at("stripe").await.is_some_and(|(ready, _)| ready == 9)).await;
    acknowledge(&queue, held).await;
    let rest = take(&queue, 9).await;
    assert_eq!(rest.iter().map(number).collect::<BTreeSet<_>>(), (2..=10).collect());
    acknowledge(&queue, rest).await;
}

#[tokio::test]
async fn a_binding_that_is_gone_loses_nothing() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    let (_connection, channel) = corner.beside().await;
    let (exchange, name) = (corner.prefix(), corner.queue("stripe"));
    channel.queue_unbind(name.into(), exchange.into(), "stripe".into(), FieldTable::default()).await.unwrap();
    publish(&queue, [1]).await;
    assert_eq!(corner.looked_at("unrouted").await, Some((1, 0)));
    let one = take_one(&queue).await;
    assert_eq!((number(&one), one.gateway()), (1, Gateway::Stripe));
    acknowledge(&queue, vec![one]).await;
}

#[tokio::test]
async fn what_no_version_of_ours_wrote_comes_out_to_be_put_away() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    corner.publish("stripe", BasicProperties::default(), b"hello").await;
    corner.publish("acquirer", BasicProperties::default().with_message_id("x".into()), &vec![0xff; 300_000]).await;
    let taken = take(&queue, 2).await;
    for one in &taken {
        let opened = keys().open(one.head(), one.body().clone());
        assert_eq!(opened, Err(Undecodable::NotOurs { head_bytes: 0 }));
    }
    assert_eq!(taken.iter().map(|one| one.body().len()).sum::<usize>(), 300_005);
    acknowledge(&queue, taken).await;
}

#[tokio::test]
async fn a_queue_that_holds_as_much_as_it_may_refuses_and_says_so() {
    let corner = Corner::of_the_shared_broker();
    let queue = Queue::open_rabbit(RabbitOptions { limit_bytes: 4_000, ..options(&corner) }).unwrap();
    until("it is connected", async || queue.health().is_ok()).await;
    let mut refused = Ok(());
    for number in 0..1_000 {
        refused = queue.publish(message(number)).await;
        if refused.is_err() {
            break;
        }
    }
    assert!(matches!(refused, Err(PublishError::Nacked)), "{refused:?}");
    assert!(matches!(queue.health(), Err(Unhealthy::Unconfirmed(PublishError::Nacked))));
}

#[tokio::test]
async fn a_message_larger_than_brokers_take_is_refused_alone() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    let mut large = delivery(Gateway::Stripe, 1);
    large.body = vec![b' '; 17 << 20].into();
    let refused = queue.publish(keys().seal(&large)).await;
    assert!(matches!(refused, Err(PublishError::TooLarge { .. })), "{refused:?}");
    publish(&queue, [2]).await;
    let mut headed = delivery(Gateway::Stripe, 3);
    headed.headers = vec![("x".into(), "y".repeat(200_000).into())];
    let headed = keys().seal(&headed);
    queue.publish(headed.clone()).await.unwrap();
    let taken = take(&queue, 2).await;
    assert_eq!((taken[1].head(), taken[1].body()), (&headed.head, &headed.body), "a head may be larger than a frame");
    acknowledge(&queue, taken).await;
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_refused_with_both_said() {
    let corner = Corner::of_the_shared_broker();
    let before = open(&corner).await;
    before.close().await;
    let queue = Queue::open_rabbit(RabbitOptions { limit_bytes: 77_777, ..options(&corner) }).unwrap();
    let said = || queue.health().err().map(|error| error.to_string()).unwrap_or_default();
    until("it is refused", async || said().contains("inequivalent arg")).await;
    let said = said();
    for part in ["x-max-length-bytes", &corner.queue("stripe"), "77777", "1073741824"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    let refused = queue.publish(message(1)).await;
    assert!(matches!(refused, Err(PublishError::Away { .. })), "{refused:?}");
}

#[tokio::test]
async fn everybody_who_waits_is_told_when_it_closes() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.take(1, Duration::ZERO).await }
    });
    until("it waits", async || corner.looked_at("stripe").await == Some((0, 1))).await;
    tokio::join!(queue.close(), queue.close());
    assert!(matches!(tokio::time::timeout(DEADLINE, waiting).await.unwrap().unwrap(), Err(QueueError::Closed)));
    assert!(matches!(queue.publish(message(1)).await, Err(PublishError::Closed)));
    assert!(matches!(queue.take(1, Duration::ZERO).await, Err(QueueError::Closed)));
    assert!(queue.health().is_err());
}

#[tokio::test]
async fn what_the_broker_gave_up_comes_out_with_its_reason() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    publish(&queue, [1]).await;
    let (_connection, channel) = corner.beside().await;
    let got = channel.basic_get(corner.queue("stripe").into(), BasicGetOptions::default()).await.unwrap().unwrap();
    got.delivery.acker.reject(BasicRejectOptions { requeue: false }).await.unwrap();
    let one = take_one(&queue).await;
    assert_eq!(number(&one), 1);
    assert_eq!(one.given_up(), Some(format!("rejected in queue {}", corner.queue("stripe")).as_str()));
    keys().open(one.head(), one.body().clone()).unwrap();
    acknowledge(&queue, vec![one]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_unroutable_message_among_thousands_is_told_to_its_own_publisher() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    let (_connection, channel) = corner.beside().await;
    let (exchange, unrouted) = (corner.prefix(), corner.queue("unrouted"));
    let pagarme = corner.queue("pagarme");
    channel.queue_unbind(pagarme.into(), exchange.into(), "pagarme".into(), FieldTable::default()).await.unwrap();
    channel.queue_unbind(unrouted.clone().into(), unrouted.into(), "".into(), FieldTable::default()).await.unwrap();
    let mut publishing = JoinSet::new();
    for number in 0..3_000u128 {
        let queue = queue.clone();
        let gateway = if number % 1_000 == 500 { Gateway::Pagarme } else { Gateway::Stripe };
        publishing.spawn(async move { (gateway, queue.publish(keys().seal(&delivery(gateway, number))).await) });
    }
    for (gateway, published) in publishing.join_all().await {
        match gateway {
            Gateway::Pagarme => assert!(matches!(published, Err(PublishError::Returned)), "{published:?}"),
            _ => published.unwrap(),
        }
    }
    assert_eq!(corner.looked_at("stripe").await, Some((2_997, 0)));
}
