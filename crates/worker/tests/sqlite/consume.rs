//! The consume loop: what it settles how, when it stands back, and that it comes back by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_model::{Mode, Timestamp};
use afluente_queue::{QueueError, Sealed, Settlement};
use afluente_store::StoreOptions;
use afluente_worker::{Accounts, Pulse, RetryPolicy, Settings, Worker, run};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::site::bench_with_room;
use crate::suite::bench::{Bench, accounts, paid};

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(30);

/// Waits so long that nothing which takes one is done before the deadline.
fn endless() -> RetryPolicy {
    RetryPolicy {
        rungs: vec![Duration::from_hours(1); 6],
        account_missing: Duration::from_millis(20),
        ..RetryPolicy::default()
    }
}

/// Waits that are over at once.
fn short() -> RetryPolicy {
    RetryPolicy {
        rungs: vec![Duration::from_millis(1); 2],
        account_missing: Duration::from_millis(20),
        ..RetryPolicy::default()
    }
}

/// A worker at work on a bench.
struct Working {
    pulse: Arc<Pulse>,
    accounts: watch::Sender<Arc<Accounts>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), QueueError>>,
}

impl Working {
    fn start(bench: &Bench, retry: RetryPolicy) -> Working {
        Working::with(bench, Settings { retry, ..Settings::default() })
    }

    fn with(bench: &Bench, settings: Settings) -> Working {
        let (accounts, watched) = watch::channel(Arc::new(accounts(&["shop"], Mode::Test)));
        let pulse = Arc::new(Pulse::default());
        let worker = Worker {
            queue: bench.queue.clone(),
            store: bench.store.clone(),
            keys: Arc::clone(&bench.keys),
            accounts: watched,
            settings,
            pulse: Arc::clone(&pulse),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(run(worker, async { drop(stopped.await) }));
        Working { pulse, accounts, stop, task }
    }

    async fn stop(self) {
        drop(self.stop);
        timeout(DEADLINE, self.task).await.expect("it stops in time").unwrap().expect("it was told to");
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(DEADLINE, waiting).await.is_ok(), "never: {what}");
}

async fn publish(bench: &Bench, names: impl IntoIterator<Item = String>) {
    for name in names {
        bench.queue.publish(bench.sealed("shop", &paid(&name))).await.unwrap();
    }
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

/// Ready, delayed and in flight, over all gateways.
fn totals(bench: &Bench) -> (u64, u64, u64) {
    let depth = bench.queue.depth().unwrap().total();
    (depth.ready, depth.delayed, depth.in_flight)
}

#[tokio::test]
async fn what_is_published_is_applied_and_acknowledged() {
    let bench = Bench::new().await;
    let working = Working::start(&bench, endless());
    publish(&bench, names("a", 50)).await;
    until("all are acknowledged", async || working.pulse.handled() == 50).await;
    assert_eq!(bench.rows().await.len(), 50);
    assert_eq!(totals(&bench), (0, 0, 0));
    working.stop().await;
}

#[tokio::test]
async fn one_that_fails_again_and_again_climbs_the_ladder_alone_and_is_buried_at_its_end() {
    let bench = Bench::new().await;
    // An error of the statement, not a refusal of the row.
    bench.ledger.trigger("evt_bad", "select abs(-9223372036854775808)").await;
    publish(&bench, names("a", 5).into_iter().chain(["bad".to_owned()]).chain(names("b", 5))).await;
    let working = Working::start(&bench, short());
    until("it is buried", async || bench.dead().await.len() == 1).await;
    let (reason, error) = bench.dead().await.remove(0);
    assert_eq!(reason, "exhausted");
    assert!(error.contains("integer overflow"), "{error}");
    let letter: (i64, String) =
        (bench.ledger.read("select attempts from dead_letters"), bench.ledger.read("select account from dead_letters"));
    assert_eq!(letter, (3, "shop".to_owned()), "two rungs and the first try");
    assert_eq!(bench.rows().await.len(), 10);
    until("nothing is left", async || totals(&bench) == (0, 0, 0)).await;
    working.stop().await;
}

#[tokio::test]
async fn while_another_holds_the_ledger_nothing_more_is_taken_and_nothing_climbs_the_ladder() {
    let bench = Bench::with(StoreOptions { busy_timeout: Duration::from_millis(20), ..StoreOptions::default() }).await;
    let working = Working::start(&bench, endless());
    until("the accounts are there", async || !working.pulse.are_accounts_missing()).await;
    let lock = bench.ledger.beside();
    lock.execute_batch("begin immediate").unwrap();
    publish(&bench, names("a", 20)).await;
    until("it stands back", async || working.pulse.is_waiting_for_ledger()).await;
    publish(&bench, names("b", 20)).await;
    until("it holds nothing", async || totals(&bench).2 == 0).await;
    assert!(working.pulse.is_waiting_for_ledger());
    lock.execute_batch("rollback").unwrap();
    until("all are applied", async || working.pulse.handled() == 40).await;
    assert!(!working.pulse.is_waiting_for_ledger());
    assert_eq!((bench.rows().await.len(), bench.dead().await.len()), (40, 0));
    working.stop().await;
}

#[tokio::test]
async fn an_outage_of_the_ledger_costs_no_delivery_a_try() {
    let bench = Bench::with(StoreOptions { busy_timeout: Duration::from_millis(20), ..StoreOptions::default() }).await;
    let working = Working::start(&bench, endless());
    until("the accounts are there", async || !working.pulse.are_accounts_missing()).await;
    let lock = bench.ledger.beside();
    lock.execute_batch("begin immediate").unwrap();
    publish(&bench, names("a", 5)).await;
    until("it stands back", async || working.pulse.is_waiting_for_ledger()).await;
    working.stop().await;
    none_was_tried(&bench, 5).await;
}

#[tokio::test]
async fn a_batch_read_ahead_goes_back_untried_when_the_ledger_is_away() {
    let bench = Bench::with(StoreOptions { busy_timeout: Duration::from_millis(300), ..StoreOptions::default() }).await;
    let working = Working::with(&bench, Settings { batch_size: 4, retry: endless(), ..Settings::default() });
    until("the accounts are there", async || !working.pulse.are_accounts_missing()).await;
    let lock = bench.ledger.beside();
    lock.execute_batch("begin immediate").unwrap();
    publish(&bench, names("a", 20)).await;
    until("one batch is written and the next is read", async || totals(&bench).2 > 4).await;
    until("it stands back", async || working.pulse.is_waiting_for_ledger()).await;
    until("it holds nothing", async || totals(&bench).2 == 0).await;
    working.stop().await;
    none_was_tried(&bench, 20).await;
}

/// Takes so many messages off the queue, for good.
async fn none_was_tried(bench: &Bench, count: usize) {
    let mut seen = 0;
    while seen < count {
        let taken = timeout(DEADLINE, bench.queue.take(count, Duration::ZERO)).await.expect("they come back").unwrap();
        assert!(taken.iter().all(|one| one.attempt() == 0), "{taken:?}");
        seen += taken.len();
        let done = taken.into_iter().map(|one| (one, Settlement::Ack)).collect();
        bench.queue.settle(done).await.into_iter().for_each(Result::unwrap);
    }
}

#[tokio::test]
async fn a_worker_that_starts_while_the_ledger_is_away_writes_its_accounts_when_it_is_back() {
    let bench = Bench::with(StoreOptions { busy_timeout: Duration::from_millis(20), ..StoreOptions::default() }).await;
    let lock = bench.ledger.beside();
    lock.execute_batch("delete from gateway_accounts; begin immediate").unwrap();
    let working = Working::start(&bench, endless());
    let started = Instant::now();
    until("it has tried and failed", async || started.elapsed() > Duration::from_millis(150)).await;
    assert!(working.pulse.are_accounts_missing());
    lock.execute_batch("rollback").unwrap();
    until("they are there", async || !working.pulse.are_accounts_missing()).await;
    assert_eq!(bench.ledger.read::<i64>("select count(*) from gateway_accounts"), 1);
    working.stop().await;
}

#[tokio::test]
async fn a_full_ledger_is_written_again_once_it_has_room_without_a_restart() {
    let bench = bench_with_room(400).await;
    bench.ledger.run("create table ballast (filler blob); insert into ballast values (zeroblob(1500000))").await;
    let working = Working::start(&bench, endless());
    until("the accounts are there", async || !working.pulse.are_accounts_missing()).await;
    publish(&bench, names("a", 100)).await;
    until("it stands back", async || working.pulse.is_waiting_for_ledger()).await;
    assert!(bench.rows().await.len() < 100);
    bench.ledger.run("drop table ballast").await;
    until("all are applied", async || working.pulse.handled() == 100).await;
    assert_eq!((bench.rows().await.len(), bench.dead().await.len()), (100, 0));
    working.stop().await;
}

#[tokio::test]
async fn one_delivery_the_ledger_never_has_room_for_does_not_hold_up_the_rest() {
    let bench = bench_with_room(400).await;
    bench.ledger.run("create table huge (filler blob)").await;
    bench.ledger.trigger("evt_huge", "insert into huge values (zeroblob(8000000))").await;
    publish(&bench, ["huge".to_owned()].into_iter().chain(names("a", 10))).await;
    let working = Working::start(&bench, endless());
    until("the rest is applied", async || working.pulse.handled() == 10).await;
    assert_eq!(totals(&bench), (0, 1, 0), "it waits on the ladder");
    assert!(bench.dead().await.is_empty());
    working.stop().await;
}

#[tokio::test]
async fn accounts_the_ledger_refuses_are_tried_on_and_their_deliveries_wait_while_others_go_on() {
    let bench = Bench::new().await;
    let twin = |name: &str| {
        let mut twin = accounts(&[name], Mode::Test);
        for account in twin.0.values_mut() {
            account.view.external_id = Some(afluente_model::ProviderId::parse("acct_1").unwrap());
        }
        twin.0
    };
    let working = Working::start(&bench, endless());
    working.accounts.send_replace(Arc::new(Accounts(twin("shop"))));
    let shop = "select count(*) from gateway_accounts where external_account_id = 'acct_1'";
    until("one has the id", async || bench.ledger.read::<i64>(shop) == 1).await;
    let both = Accounts(twin("shop").into_iter().chain(twin("ghost")).collect());
    working.accounts.send_replace(Arc::new(both));
    bench.queue.publish(bench.sealed("ghost", &paid("ghost"))).await.unwrap();
    publish(&bench, names("a", 5)).await;
    until("the others are applied", async || bench.rows().await.len() == 5).await;
    assert!(working.pulse.are_accounts_missing(), "ghost is refused");
    assert_eq!(bench.ledger.read::<i64>("select count(*) from gateway_accounts"), 1);
    working.accounts.send_replace(Arc::new(accounts(&["shop", "ghost"], Mode::Test)));
    until("all are applied", async || working.pulse.handled() == 6 && !working.pulse.are_accounts_missing()).await;
    assert!(bench.dead().await.is_empty());
    working.stop().await;
}

#[tokio::test]
async fn an_account_added_by_a_reload_is_written_before_its_deliveries_can_miss_it() {
    let bench = Bench::new().await;
    let working = Working::start(&bench, endless());
    working.accounts.send_replace(Arc::new(accounts(&["shop", "ghost"], Mode::Test)));
    bench.queue.publish(bench.sealed("ghost", &paid("one"))).await.unwrap();
    until("it is applied", async || working.pulse.handled() == 1).await;
    assert_eq!(bench.rows().await.len(), 1);
    working.stop().await;
}

#[tokio::test]
async fn an_account_whose_row_somebody_deleted_is_written_again() {
    let bench = Bench::new().await;
    let working = Working::start(&bench, endless());
    until("the accounts are there", async || !working.pulse.are_accounts_missing()).await;
    bench.ledger.run("delete from gateway_accounts").await;
    publish(&bench, names("a", 3)).await;
    until("all are applied", async || working.pulse.handled() == 3).await;
    assert!(bench.dead().await.is_empty());
    working.stop().await;
}

#[tokio::test]
async fn a_worker_told_to_stop_ends_and_what_it_did_not_take_stays() {
    let bench = Bench::new().await;
    let lock = bench.ledger.beside();
    let working = Working::start(&bench, endless());
    until("the accounts are there", async || !working.pulse.are_accounts_missing()).await;
    lock.execute_batch("begin immediate").unwrap();
    publish(&bench, names("a", 3)).await;
    lock.execute_batch("rollback").unwrap();
    working.stop().await;
    let (ready, delayed, in_flight) = totals(&bench);
    assert_eq!(ready + delayed + in_flight + bench.rows().await.len() as u64, 3);
}

#[tokio::test]
async fn a_worker_whose_queue_closes_ends_by_itself() {
    let bench = Bench::new().await;
    let working = Working::start(&bench, endless());
    bench.queue.close().await;
    let ended = timeout(DEADLINE, working.task).await.expect("it ends").unwrap();
    assert!(matches!(ended, Err(QueueError::Closed)), "{ended:?}");
}

#[tokio::test]
async fn unreadable_messages_are_buried_by_the_loop_and_acknowledged() {
    let bench = Bench::new().await;
    let broken = Sealed { body: b"{}".to_vec().into(), ..bench.sealed("shop", &paid("broken")) };
    bench.queue.publish(broken).await.unwrap();
    let working = Working::start(&bench, endless());
    until("it is buried", async || bench.dead().await.len() == 1).await;
    until("nothing is left", async || totals(&bench) == (0, 0, 0)).await;
    assert!(bench.ledger.read::<i64>("select last_seen_at from dead_letters") > Timestamp::EPOCH.as_micros());
    working.stop().await;
}
