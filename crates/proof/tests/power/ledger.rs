//! The whole way, from the queue into the ledger, cut at any step: what was acknowledged is in one of the two, and the rows at
//! the end are the ones that are known to be true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use afluente_gateways::{AccountView, Tenants, adapter};
use afluente_model::{AccountName, Delivery, DeliveryId, Gateway, MerchantName, Mode, Proof, SecretName, Timestamp};
use afluente_proof::{Counts, Disk};
use afluente_queue::{Depth, EmbeddedOptions, Queue, SealKey, SealKeys, embedded};
use afluente_simulate::{Checks, Plan, Post, Traffic, check, in_full, play};
use afluente_store::{LEDGER_FILE, Location, Store, StoreError};
use afluente_worker::rebuild::plan;
use afluente_worker::{Account, Accounts, Pulse, RetryPolicy, Settings, Worker, now, run};
use rand::RngExt;
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use crate::books::look;
use crate::site::{Site, Twin, block_on, cuts};

const ACCOUNT: &str = "shop";
/// Longer than what is left takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What outlives a cut: who sends, and what is known to be acknowledged.
struct Sender {
    keys: Arc<SealKeys>,
    accounts: Arc<Accounts>,
    posts: Vec<Post>,
    /// Of the posts those that were answered.
    answered: BTreeSet<usize>,
    /// Which post each message carries.
    sent: BTreeMap<u128, usize>,
}

impl Sender {
    fn new(seed: u64) -> (Sender, Traffic) {
        let plan = Plan {
            gateway: Gateway::Stripe,
            profile: "",
            payments: 4,
            seed,
            run: format!("power{seed}x"),
            seller: None,
            checks: Checks::SECRET,
            api: "v1",
            shuffle: true,
            duplicate: 0.3,
            times: 1,
            forge: 0.0,
            until: Timestamp::as_seconds(now()) - 60,
        };
        let traffic = play(&plan).unwrap();
        let keys = Arc::new(SealKeys::new(SealKey::from_bytes([1; 32]), []));
        let posts = traffic.posts.clone();
        (Sender { keys, accounts: accounts(), posts, answered: BTreeSet::new(), sent: BTreeMap::new() }, traffic)
    }

    /// Sends what was not answered, again, until the power goes or all is.
    async fn send(&mut self, queue: &Queue, disk: &Disk) {
        for index in 0..self.posts.len() {
            if self.answered.contains(&index) || !disk.is_on() {
                continue;
            }
            let delivery = delivery(&self.posts[index]);
            self.sent.insert(delivery.id.0.as_u128(), index);
            if queue.publish(self.keys.seal(&delivery)).await.is_ok() {
                self.answered.insert(index);
            }
            tokio::task::yield_now().await;
        }
    }

    /// That every post that was answered is a message or a receipt.
    async fn check(&self, folder: &Path, store: &Store) -> Result<(), String> {
        // Opening it takes back what was half done.
        let queue = Queue::open_embedded(EmbeddedOptions::new(folder)).map_err(|error| error.to_string())?;
        let queued = look(&folder.join(embedded::QUEUE_FILE));
        queue.close().await;
        let queued = queued?;
        let queued: BTreeSet<&str> =
            queued.iter().filter_map(|(id, _)| Some(self.posts[*self.sent.get(id)?].event())).collect();
        let receipts = store.receipts_of_events(ACCOUNT).await.map_err(|error| error.to_string())?;
        let receipts: BTreeSet<String> = receipts.into_iter().map(|(event, _)| event).collect();
        let is_kept = |event: &str| queued.contains(event) || receipts.contains(event);
        let mut answered = self.answered.iter().map(|index| self.posts[*index].event());
        match answered.find(|event| !is_kept(event)) {
            Some(event) => Err(format!("{event} was acknowledged and is neither in the queue nor in the ledger")),
            None => Ok(()),
        }
    }
}

fn accounts() -> Arc<Accounts> {
    let view = AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own };
    let merchant = MerchantName::parse("default").unwrap();
    let (gateway, adapter) = (Gateway::Stripe, adapter(Gateway::Stripe));
    let account = Account { gateway, merchant, adapter, view, replaces: None };
    Arc::new(Accounts(BTreeMap::from([(AccountName::parse(ACCOUNT).unwrap(), account)])))
}

fn delivery(post: &Post) -> Delivery {
    Delivery {
        id: DeliveryId(Uuid::now_v7()),
        gateway: Gateway::Stripe,
        account: AccountName::parse(ACCOUNT).unwrap(),
        received_at: now(),
        proof: Proof::Signed { secret: SecretName::of(b"secret") },
        headers: Vec::new(),
        query: None,
        traceparent: None,
        released_by: None,
        body: post.body().to_vec().into(),
    }
}

/// A ledger with its schema and nothing in it: made once, copied for every history.
fn empty_ledger() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let made = || {
        let folder = tempfile::tempdir().unwrap();
        block_on(async { Store::open(Location::Folder(folder.path().to_owned())).await.unwrap().close().await });
        folder
    };
    FOLDER.get_or_init(made).path()
}

/// A worker as the program runs it; what failed for the moment is tried again at once.
fn worker(queue: &Queue, store: &Store, sender: &Sender, batch_size: usize) -> Worker {
    let at_once = Duration::from_millis(1);
    let retry = RetryPolicy { rungs: vec![at_once; 50], account_missing: at_once, contended: at_once };
    Worker {
        queue: queue.clone(),
        store: store.clone(),
        keys: Arc::clone(&sender.keys),
        accounts: watch::channel(Arc::clone(&sender.accounts)).1,
        settings: Settings { batch_size, linger: Duration::ZERO, retry },
        pulse: Arc::new(Pulse::default()),
    }
}

/// Sends and works until the power goes, or all was sent and worked on.
async fn live(site: &mut Site, sender: &mut Sender) {
    let (folder, disk) = (site.path().to_owned(), Arc::clone(&site.disk));
    let batch_size = [1, 3, 16][site.rng.random_range(0..3)];
    let Ok(store) = Store::open(Location::Folder(folder.clone())).await else { return };
    if let Ok(queue) = Queue::open_embedded(EmbeddedOptions::new(&folder)) {
        let worker = worker(&queue, &store, sender, batch_size);
        let (done, mut is_done) = watch::channel(false);
        let works = run(worker, async move {
            let _ = is_done.wait_for(|done| *done).await;
        });
        let sends = async {
            sender.send(&queue, &disk).await;
            while disk.is_on() && queue.depth().is_some_and(|held| held.total() != Depth::default()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            done.send_replace(true);
        };
        let _ = tokio::join!(works, sends);
        queue.close().await;
    }
    store.close().await;
    if store.ping().await.is_err_and(|error| matches!(error, StoreError::Doubted { .. })) {
        // It stays open until its process ends.
        site.disk.kill().unwrap();
    }
}

fn history(seed: u64, twin: Twin) -> Result<Counts, String> {
    let mut site = Site::new(seed, twin);
    let (mut sender, Traffic { posts, truth, .. }) = Sender::new(seed);
    std::fs::copy(empty_ledger().join(LEDGER_FILE), site.path().join(LEDGER_FILE))
        .map_err(|error| error.to_string())?;
    let location = Location::Folder(site.path().to_owned());
    let mut cut = 0;
    loop {
        let fault = |error: String| format!("seed {seed}, cut {cut}: {error}");
        site.plan_a_cut();
        block_on(live(&mut site, &mut sender));
        let is_over = site.disk.is_on() && sender.answered.len() == posts.len();
        site.disk.power_on().map_err(|error| fault(error.to_string()))?;
        block_on(async {
            let store = Store::open(location.clone()).await.map_err(|error| format!("does not open: {error}"))?;
            let checked = sender.check(site.path(), &store).await;
            store.close().await;
            checked
        })
        .map_err(fault)?;
        cut += 1;
        if is_over {
            break;
        }
    }
    block_on(async {
        let store = Store::open(location).await.map_err(|error| error.to_string())?;
        let events = in_full(&posts);
        check::settled(&store, ACCOUNT, &events, PATIENCE).await.map_err(|error| error.to_string())?;
        let differences = check::all(&store, Gateway::Stripe, ACCOUNT, &events, &truth).await;
        let rebuilt = plan(&store, &sender.accounts, |_| {}).await.map_err(|error| error.to_string())?.differences;
        store.close().await;
        match differences.map_err(|error| error.to_string())?.first() {
            Some(difference) => Err(format!("seed {seed}: {difference:?}")),
            None if !rebuilt.is_empty() => Err(format!("seed {seed}: {rebuilt:?}")),
            None => Ok(site.disk.counts()),
        }
    })
}

#[test]
fn no_cut_at_any_step_loses_what_was_acknowledged_and_the_rows_at_the_end_are_the_true_ones() {
    cuts(240, 10_000, 36, |seed| history(seed, Twin::None));
}

#[test]
fn a_ledger_that_does_not_sync_its_commits_is_noticed() {
    crate::site::noticed("queue and ledger, synchronous=NORMAL", |seed| history(seed, Twin::SyncsNoCommit));
}
