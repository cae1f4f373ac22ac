//! Brokers that die, hang, fill up and forget: what was confirmed arrives, and everything goes on by itself.

use std::time::{Duration, Instant};

use afluente_queue::{PublishError, Queue, QueueError, RabbitOptions, Settlement};
use afluente_testkit::{Broker, Corner, Proxy, at_full_length};
use lapin::options::ExchangeDeleteOptions;
use tokio::time::{sleep, timeout};

use crate::site::{
    DEADLINE, acknowledge, message, number, open, open_to_be_killed, options, publish, take, take_one, until,
};
use crate::traffic::Traffic;

fn said(queue: &Queue) -> String {
    queue.health().err().map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn a_broker_that_is_not_there_yet_is_waited_for() {
    let mut broker = Broker::start();
    let corner = Corner::of(&broker.url());
    broker.stop();
    let queue = Queue::open_rabbit(options(&corner)).unwrap();
    let begun = Instant::now();
    let refused = queue.publish(message(1)).await;
    assert!(matches!(refused, Err(PublishError::Away { .. })), "{refused:?}");
    assert!(begun.elapsed() >= Duration::from_secs(1), "a broker that is restarting is waited for a little");
    assert!(said(&queue).starts_with("the broker is away for "), "{}", said(&queue));
    broker.again();
    until("it is connected", async || queue.health().is_ok()).await;
    publish(&queue, [1]).await;
    assert_eq!(number(&take_one(&queue).await), 1);
}

#[tokio::test]
async fn a_broker_killed_under_load_loses_nothing_it_confirmed() {
    let mut broker = Broker::start();
    let corner = Corner::of(&broker.url());
    let (ingress, worker) = (open_to_be_killed(&corner).await, open_to_be_killed(&corner).await);
    let traffic = Traffic::start(&ingress, &worker);
    for _ in 0..2 {
        traffic.flows().await;
        broker.kill_nine();
        broker.again();
    }
    traffic.flows().await;
    traffic.arrives().await;
}

#[tokio::test]
async fn a_broker_restarted_in_order_loses_nothing() {
    let mut broker = Broker::start();
    let corner = Corner::of(&broker.url());
    let (ingress, worker) = (open_to_be_killed(&corner).await, open_to_be_killed(&corner).await);
    let traffic = Traffic::start(&ingress, &worker);
    traffic.flows().await;
    broker.stop();
    broker.again();
    traffic.flows().await;
    traffic.arrives().await;
}

#[tokio::test]
async fn connections_an_administrator_closes_are_made_again() {
    let broker = Broker::start();
    let corner = Corner::of(&broker.url());
    let (ingress, worker) = (open(&corner).await, open(&corner).await);
    let traffic = Traffic::start(&ingress, &worker);
    for _ in 0..3 {
        traffic.flows().await;
        broker.ctl(&["close_all_connections", "maintenance"]);
    }
    traffic.flows().await;
    traffic.arrives().await;
}

#[tokio::test]
async fn an_exchange_that_is_deleted_under_us_is_made_again() {
    let corner = Corner::of_the_shared_broker();
    let (ingress, worker) = (open(&corner).await, open(&corner).await);
    let traffic = Traffic::start(&ingress, &worker);
    traffic.flows().await;
    let (_connection, channel) = corner.beside().await;
    channel.exchange_delete(corner.prefix().into(), ExchangeDeleteOptions::default()).await.unwrap();
    traffic.flows().await;
    traffic.arrives().await;
}

#[tokio::test]
async fn a_queue_that_is_deleted_under_us_is_made_again_and_consumed_again() {
    let corner = Corner::of_the_shared_broker();
    let queue = open(&corner).await;
    publish(&queue, [1]).await;
    acknowledge(&queue, take(&queue, 1).await).await;
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { take_one(&queue).await }
    });
    corner.delete("stripe").await;
    publish(&queue, [2]).await;
    assert_eq!(number(&waiting.await.unwrap()), 2);
    until("it is consumed", async || corner.looked_at("stripe").await.is_some_and(|(_, consumers)| consumers == 1))
        .await;
}

#[tokio::test]
async fn a_retry_whose_way_back_is_missing_waits_until_it_is_there() {
    let broker = Broker::start();
    // It tries again every two minutes otherwise.
    broker.ctl(&["eval", "application:set_env(rabbit, dead_letter_worker_publisher_confirm_timeout, 2000)."]);
    let corner = Corner::of(&broker.url());
    let queue = open(&corner).await;
    publish(&queue, [1]).await;
    let one = take_one(&queue).await;
    queue.settle(vec![(one, Settlement::RetryAfter(Duration::from_secs(5)))]).await.remove(0).unwrap();
    queue.close().await;
    let (_connection, channel) = corner.beside().await;
    channel.exchange_delete(corner.prefix().into(), ExchangeDeleteOptions::default()).await.unwrap();
    until("it is due", async || corner.looked_at("retry.5s").await.is_some_and(|(ready, _)| ready == 0)).await;
    assert_eq!(corner.looked_at("stripe").await, Some((0, 0)), "due, and nowhere to go");
    let queue = open(&corner).await;
    let one = take_one(&queue).await;
    assert_eq!((number(&one), one.attempt()), (1, 1));
}

#[tokio::test]
async fn alarms_of_memory_and_disk_are_told_and_left_behind() {
    let broker = Broker::start();
    let corner = Corner::of(&broker.url());
    let (ingress, worker) = (open(&corner).await, open(&corner).await);
    let traffic = Traffic::start(&ingress, &worker);
    let alarms = [
        (["set_vm_memory_high_watermark", "0.00001"], ["set_vm_memory_high_watermark", "0.4"], "memory"),
        (["set_disk_free_limit", "900GB"], ["set_disk_free_limit", "50MB"], "disk"),
    ];
    for (raise, clear, what) in alarms {
        traffic.flows().await;
        broker.ctl(&raise);
        until("it says so", async || said(&ingress).contains(&format!("blocked: low on {what}"))).await;
        until("publishing is refused", async || {
            matches!(ingress.publish(message(u128::MAX)).await, Err(PublishError::Away { .. }))
        })
        .await;
        assert!(worker.health().is_ok(), "who only consumes is not blocked: {}", said(&worker));
        broker.ctl(&clear);
        until("it is well again", async || ingress.health().is_ok()).await;
    }
    traffic.flows().await;
    traffic.arrives().await;
}

#[tokio::test]
async fn a_broker_too_slow_to_confirm_is_given_up_and_found_again() {
    let broker = Broker::start();
    let corner = Corner::of(&broker.url());
    let patient = open(&corner).await;
    let options = RabbitOptions { confirm_within: Duration::from_secs(1), ..options(&corner) };
    let queue = Queue::open_rabbit(options).unwrap();
    until("it is connected", async || queue.health().is_ok()).await;
    broker.signal("STOP");
    let begun = Instant::now();
    let late = queue.publish(message(1)).await;
    assert!(matches!(late, Err(PublishError::TimedOut { .. })), "{late:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    until("it says so", async || queue.health().is_err()).await;
    broker.signal("CONT");
    until("it is well again", async || queue.publish(message(2)).await.is_ok()).await;
    until("both are well", async || queue.health().is_ok() && patient.publish(message(3)).await.is_ok()).await;
}

#[tokio::test]
async fn a_network_that_is_cut_or_silent_is_left_for_a_new_connection() {
    let corner = Corner::of_the_shared_broker();
    let port = corner.port();
    let proxy = Proxy::to(port);
    let url = format!("amqp://guest:guest@127.0.0.1:{}/?heartbeat=1", proxy.port()).parse().unwrap();
    let options = RabbitOptions { url, confirm_within: Duration::from_secs(2), ..options(&corner) };
    let (ingress, worker) = (Queue::open_rabbit(options.clone()).unwrap(), Queue::open_rabbit(options).unwrap());
    let traffic = Traffic::start(&ingress, &worker);
    traffic.flows().await;
    proxy.cut();
    traffic.flows().await;
    proxy.go_silent();
    until("silence is noticed", async || ingress.health().is_err() && worker.health().is_err()).await;
    proxy.speak();
    traffic.flows().await;
    traffic.arrives().await;
}

#[tokio::test]
async fn a_worker_slower_than_the_broker_s_patience_loses_its_hold_and_nothing_else() {
    let broker = Broker::start();
    broker.ctl(&[
        "eval",
        "[application:set_env(rabbit, K, V) || {K, V} <- [{consumer_timeout, 2000}, {channel_tick_interval, 500}]].",
    ]);
    let corner = Corner::of(&broker.url());
    let queue = open(&corner).await;
    publish(&queue, 1..=3).await;
    let held = take(&queue, 3).await;
    let again = take(&queue, 3).await;
    let late = queue.settle(held.into_iter().map(|one| (one, Settlement::Ack)).collect()).await;
    assert!(late.iter().all(|one| matches!(one, Err(QueueError::Lapsed))), "{late:?}");
    acknowledge(&queue, again).await;
    publish(&queue, [4]).await;
    assert_eq!(number(&take_one(&queue).await), 4);
}

#[tokio::test]
async fn a_broker_that_dies_while_nothing_happens_is_missed_and_found_again() {
    let mut broker = Broker::start();
    let corner = Corner::of(&broker.url());
    let (ingress, worker) = (open_to_be_killed(&corner).await, open_to_be_killed(&corner).await);
    let waiting = tokio::spawn(async move { worker.take(1, Duration::ZERO).await });
    until("it waits", async || corner.looked_at("stripe").await == Some((0, 1))).await;
    broker.kill_nine();
    until("it is missed", async || ingress.health().is_err()).await;
    sleep(at_full_length(5, 60)).await;
    broker.again();
    until("one message goes", async || ingress.publish(message(1)).await.is_ok()).await;
    let taken = timeout(DEADLINE, waiting).await.expect("it comes to who waited").unwrap().unwrap();
    assert_eq!(taken.iter().map(number).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_broker_behind_tls_is_believed_only_under_its_name_and_an_authority_we_know() {
    let (broker, tls) = Broker::start_with_tls();
    let authority = tls.authority();
    let known = |host: &str| format!("{}?cacertfile={}", tls.url(host), authority.display());
    let open = |url: &str| {
        let url = url.parse().unwrap();
        Queue::open_rabbit(RabbitOptions { url, ..options(&Corner::of(&broker.url())) }).unwrap()
    };
    let queue = open(&known("localhost"));
    until("it is connected", async || queue.health().is_ok()).await;
    publish(&queue, [1]).await;
    assert_eq!(number(&take_one(&queue).await), 1);
    for url in [tls.url("localhost"), known("127.0.0.1")] {
        let queue = open(&url);
        until("it says why not", async || said(&queue).contains("certificate")).await;
        assert!(queue.publish(message(2)).await.is_err());
    }
    let plain = open(&format!("amqp://guest:guest@localhost:{}", tls.url("localhost").rsplit_once(':').unwrap().1));
    assert!(plain.publish(message(3)).await.is_err(), "a client that speaks no TLS is not served");
}
