//! Several workers on one ledger in Postgres: they meet on the same payments all the time, and no row tells.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_gateways::{AccountView, Tenants, adapter};
use afluente_model::{AccountName, Delivery, Gateway, MerchantName, Mode, Timestamp};
use afluente_queue::{EmbeddedOptions, Queue, QueueError, SealKey, SealKeys};
use afluente_simulate::{Checks, Plan, Post, Traffic, check, in_full, play};
use afluente_store::{GapTarget, Location, Store, StoreOptions};
use afluente_testkit::Database;
use afluente_worker::rebuild::plan;
use afluente_worker::{Account, Accounts, Pulse, Settings, Worker, now, repair_gaps, run};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

const ACCOUNT: &str = "shop";
const WORKERS: u32 = 4;
/// How long they meet, and how often at the least.
const MEET: Duration = Duration::from_secs(20);
const ROUNDS: u64 = 6;
/// Longer than one round takes.
const PATIENCE: Duration = Duration::from_secs(60);

struct Site {
    queue: Queue,
    store: Store,
    keys: Arc<SealKeys>,
    accounts: Arc<Accounts>,
    database: Database,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::create().await;
        let location = Location::Server(database.url().parse().unwrap());
        let options = StoreOptions { connections: WORKERS + 2, ..StoreOptions::default() };
        let store = Store::open_with(location, options).await.unwrap();
        let view = AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own };
        let account = Account {
            gateway: Gateway::Stripe,
            merchant: MerchantName::parse("default").unwrap(),
            adapter: adapter(Gateway::Stripe),
            view,
            replaces: None,
        };
        let accounts = Arc::new(Accounts(BTreeMap::from([(AccountName::parse(ACCOUNT).unwrap(), account)])));
        let queue = Queue::open_embedded(EmbeddedOptions::new(folder.path())).unwrap();
        let keys = Arc::new(SealKeys::new(SealKey::from_bytes([1; 32]), []));
        Site { queue, store, keys, accounts, database, _folder: folder }
    }

    /// Starts the workers; they end when the sender says so.
    fn work(&self, stop: &watch::Sender<bool>) -> JoinSet<Result<(), QueueError>> {
        // Nobody changes the accounts: the sender may go.
        let (_, accounts) = watch::channel(Arc::clone(&self.accounts));
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            let worker = Worker {
                queue: self.queue.clone(),
                store: self.store.clone(),
                keys: Arc::clone(&self.keys),
                accounts: accounts.clone(),
                // Small batches meet more often than one that takes everything.
                settings: Settings { batch_size: 16, linger: Duration::ZERO, ..Settings::default() },
                pulse: Arc::new(Pulse::default()),
            };
            let mut stop = stop.subscribe();
            workers.spawn(run(worker, async move {
                let _ = stop.wait_for(|stop| *stop).await;
            }));
        }
        workers
    }

    async fn publish(&self, posts: &[Post]) {
        let publish = posts.iter().map(|post| self.queue.publish(self.keys.seal(&delivery(post))));
        for published in futures_util::future::join_all(publish).await {
            published.unwrap();
        }
    }

    async fn differences(
        &self,
        posts: &[Post],
        truth: &[afluente_simulate::Truth],
    ) -> Vec<afluente_simulate::Difference> {
        let events = in_full(posts);
        check::settled(&self.store, ACCOUNT, &events, PATIENCE).await.unwrap();
        check::all(&self.store, Gateway::Stripe, ACCOUNT, &events, truth).await.unwrap()
    }
}

fn delivery(post: &Post) -> Delivery {
    Delivery { received_at: now(), ..afluente_testkit::delivery(Uuid::now_v7(), post.body()) }
}

fn traffic(round: u64) -> Traffic {
    let plan = Plan {
        gateway: Gateway::Stripe,
        profile: "",
        payments: 50,
        seed: round,
        run: format!("several{round}x"),
        seller: None,
        checks: Checks::SECRET,
        api: "v1",
        shuffle: true,
        duplicate: 0.3,
        times: 1,
        forge: 0.0,
        until: Timestamp::as_seconds(now()) - 60,
    };
    play(&plan).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_on_the_same_fifty_payments_end_with_the_rows_one_would_write() {
    let site = Site::new().await;
    let (stop, _) = watch::channel(false);
    let mut workers = site.work(&stop);
    let (started, mut rounds) = (Instant::now(), 0);
    while started.elapsed() < MEET || rounds < ROUNDS {
        let Traffic { posts, truth, .. } = traffic(rounds);
        site.publish(&posts).await;
        assert_eq!(site.differences(&posts, &truth).await, []);
        rounds += 1;
    }
    stop.send_replace(true);
    while let Some(ended) = workers.join_next().await {
        ended.unwrap().unwrap();
    }
    // Two that write one customer may meet in the last round; what is taken back then is made again.
    while repair_gaps(&site.store).await.unwrap() > 0 {}
    assert_eq!(site.store.open_gaps(GapTarget::Customers).await.unwrap().open, 0);
    let report = plan(&site.store, &site.accounts, |_| {}).await.unwrap();
    assert_eq!(report.differences, []);
    let counts = site.store.counts().await.unwrap();
    assert_eq!((counts.payments, counts.dead_letters), (50 * i64::try_from(rounds).unwrap(), 0));
    let beside = site.database.beside().await;
    let deadlocks: i64 =
        sqlx::query_scalar("select deadlocks from pg_stat_database where datname = current_database()")
            .fetch_one(&beside)
            .await
            .unwrap();
    println!("{rounds} rounds, {} receipts, {deadlocks} deadlocks", counts.receipts);
}
