//! Who sends deliveries, what he knows to be acknowledged, and what must be true of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use afluente_gateways::{AccountView, Tenants, adapter};
use afluente_model::{AccountName, Delivery, Gateway, MerchantName, Mode};
use afluente_proof::Disk;
use afluente_queue::{EmbeddedOptions, Queue, SealKey, SealKeys, embedded};
use afluente_simulate::{Checks, Plan, Post, Traffic, Truth, check, in_full, play};
use afluente_store::{Location, Store};
use afluente_worker::rebuild::plan;
use afluente_worker::{Account, Accounts, Pulse, RetryPolicy, Settings, Worker, now};
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use crate::books::look;
use crate::site::block_on;

const ACCOUNT: &str = "shop";
/// When the last of them happened, seconds since 1970.
const UNTIL: i64 = 1_780_000_000;
/// Longer than what is left takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What outlives a cut: who sends, and what is known to be acknowledged.
pub(crate) struct Sender {
    pub(crate) keys: Arc<SealKeys>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) posts: Vec<Post>,
    /// Of the posts those that were answered.
    pub(crate) answered: BTreeSet<usize>,
    /// Which post each message carries.
    pub(crate) sent: BTreeMap<u128, usize>,
}

impl Sender {
    pub(crate) fn new(seed: u64, payments: usize) -> (Sender, Traffic) {
        let plan = Plan {
            gateway: Gateway::Stripe,
            profile: "",
            payments,
            seed,
            run: format!("power{seed}x"),
            seller: None,
            checks: Checks::SECRET,
            api: "v1",
            shuffle: true,
            duplicate: 0.3,
            times: 1,
            forge: 0.0,
            until: UNTIL,
        };
        let traffic = play(&plan).unwrap();
        let keys = Arc::new(SealKeys::new(SealKey::from_bytes([1; 32]), []));
        let posts = traffic.posts.clone();
        (Sender { keys, accounts: accounts(), posts, answered: BTreeSet::new(), sent: BTreeMap::new() }, traffic)
    }

    /// Sends what was not answered, again, until the power goes or all is.
    pub(crate) async fn send(&mut self, queue: &Queue, disk: &Disk) {
        for index in 0..self.posts.len() {
            if self.answered.contains(&index) || !disk.is_on() {
                continue;
            }
            let delivery = delivery(&self.posts[index], Uuid::now_v7());
            self.sent.insert(delivery.id.0.as_u128(), index);
            if queue.publish(self.keys.seal(&delivery)).await.is_ok() {
                self.answered.insert(index);
            }
            tokio::task::yield_now().await;
        }
    }

    /// That every post that was answered is a message or a receipt.
    pub(crate) async fn keeps(&self, location: &Location) -> Result<(), String> {
        let store =
            Store::open(location.clone()).await.map_err(|error| format!("the ledger does not open: {error}"))?;
        let Location::Folder(folder) = location else { return Err("not a folder".to_owned()) };
        let kept = self.check(folder, &store).await;
        store.close().await;
        kept
    }

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

    /// That the rows of a ledger are the ones that are known to be true, and those that its receipts say.
    pub(crate) async fn is_true(&self, location: &Location, posts: &[Post], truth: &[Truth]) -> Result<(), String> {
        let store = Store::open(location.clone()).await.map_err(|error| error.to_string())?;
        let events = in_full(posts);
        check::settled(&store, ACCOUNT, &events, PATIENCE).await.map_err(|error| error.to_string())?;
        let differences = check::all(&store, Gateway::Stripe, ACCOUNT, &events, truth).await;
        let rebuilt = plan(&store, &self.accounts, |_| {}).await.map_err(|error| error.to_string())?.differences;
        store.close().await;
        match differences.map_err(|error| error.to_string())?.first() {
            Some(difference) => Err(format!("{difference:?}")),
            None if !rebuilt.is_empty() => Err(format!("{rebuilt:?}")),
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

pub(crate) fn delivery(post: &Post, id: Uuid) -> Delivery {
    Delivery { received_at: now(), ..afluente_testkit::delivery(id, post.body()) }
}

/// A ledger with its schema and nothing in it: made once, copied for every history.
pub(crate) fn empty_ledger() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let made = || {
        let folder = tempfile::tempdir().unwrap();
        block_on(async { Store::open(Location::Folder(folder.path().to_owned())).await.unwrap().close().await });
        folder
    };
    FOLDER.get_or_init(made).path()
}

/// A worker as the program runs it; what failed for the moment is tried again at once.
pub(crate) fn worker(queue: &Queue, store: &Store, sender: &Sender, batch_size: usize) -> Worker {
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
