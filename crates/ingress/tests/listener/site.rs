//! A listener on a free port with a queue in a folder of its own.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use afluente_gateways::{Credential, Credentials, Secret, adapter, adapters};
use afluente_ingress::{Account, Accounts, Drained, Limits, Listener, Proxies, Receiver, RunError, run};
use afluente_model::{AccountName, Delivery, Gateway, Timestamp};
use afluente_queue::{EmbeddedOptions, Queue, SealKey, SealKeys, Settlement};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::DEADLINE;

pub(crate) const SECRET: &str = "whsec_test_secret";
pub(crate) const OTHER_SECRET: &str = "whsec_rotated_old_secret";

/// The only moment the listener knows.
pub(crate) const NOON: i64 = 1_793_534_400;

fn noon() -> Timestamp {
    Timestamp::from_seconds(NOON).expect("a time in range")
}

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    queue: Queue,
    accounts: watch::Sender<Arc<Accounts>>,
    metrics: PrometheusHandle,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<Drained, RunError>>,
    folder: tempfile::TempDir,
}

impl Site {
    pub(crate) async fn open() -> Site {
        Site::with_limits(Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Site {
        Site::with(limits, |_| ()).await
    }

    pub(crate) async fn with_queue(change: impl FnOnce(&mut EmbeddedOptions)) -> Site {
        Site::with(Limits::default(), change).await
    }

    async fn with(limits: Limits, change: impl FnOnce(&mut EmbeddedOptions)) -> Site {
        Site::at(limits, change, Listener::plain, Proxies::default()).await
    }

    /// One that listens as it is told, behind these proxies.
    pub(crate) async fn listening(listener: impl FnOnce(TcpListener) -> Listener, proxies: Proxies) -> Site {
        let limits = Limits { header_read: Duration::from_millis(800), ..Limits::default() };
        Site::at(limits, |_| (), listener, proxies).await
    }

    async fn at(
        limits: Limits,
        change: impl FnOnce(&mut EmbeddedOptions),
        listening: impl FnOnce(TcpListener) -> Listener,
        proxies: Proxies,
    ) -> Site {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut options = EmbeddedOptions::new(folder.path());
        change(&mut options);
        let queue = Queue::open_embedded(options).expect("a queue");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (accounts, watched) = watch::channel(accounts(&[("main", &[SECRET])]));
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let receiver = metrics::with_local_recorder(&recorder, || {
            Receiver::new(watched, queue.clone(), seal_keys(), limits, noon)
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let task =
            tokio::spawn(run(listening(listener), Arc::new(receiver.behind(proxies)), async { drop(stopped.await) }));
        Site { address, queue, accounts, metrics, stop: Some(stop), task, folder }
    }

    pub(crate) fn reload(&self, secrets: &[(&str, &[&str])]) {
        self.accounts.send_replace(accounts(secrets));
    }

    /// Accounts of a gateway that signs nothing, each with its token.
    pub(crate) fn reload_unsigned(&self, tokens: &[(&str, &str)]) {
        let account = |(name, token): &(&str, &str)| {
            let token = Credential::PathToken(Secret::new(token).expect("a token"));
            let name = AccountName::parse(name).expect("a name");
            Account::new(adapter(Gateway::Appmax), name, Credentials::new(vec![token], 300))
        };
        self.accounts.send_replace(Arc::new(tokens.iter().map(account).collect()));
    }

    /// The account `main` as it is at first.
    pub(crate) fn account_of_main(&self) -> Account {
        let account = self.accounts.borrow().find(Gateway::Stripe, "main").expect("the account of the beginning");
        (*account).clone()
    }

    /// These accounts and no other.
    pub(crate) fn reload_accounts(&self, accounts: Vec<Account>) {
        self.accounts.send_replace(Arc::new(accounts.into_iter().collect()));
    }

    /// One account of Open Finance, by one of its profiles.
    pub(crate) fn reload_profile(&self, profile: &str, secret: &str) {
        let adapters = adapters(Gateway::OpenFinance);
        let adapter = adapters.iter().find(|adapter| adapter.profile().name == profile).expect("a profile");
        let credentials = Credentials::hmac([Secret::new(secret).expect("a secret")], 300);
        let account = Account::new(*adapter, AccountName::parse("main").expect("a name"), credentials);
        self.accounts.send_replace(Arc::new([account].into_iter().collect()));
    }

    /// Takes everything off the queue that was confirmed by now, opened with the deployment's key, in the order it came.
    pub(crate) async fn deliveries(&self) -> Vec<Delivery> {
        let keys = seal_keys();
        let mut deliveries = Vec::new();
        // The queue counts a message before it confirms it.
        while self.queue.depth().is_some_and(|held| held.total().ready > 0) {
            let taken = self.queue.take(1000, Duration::ZERO).await.expect("the queue is open");
            deliveries.extend(taken.iter().map(|one| keys.open(one.head(), one.body().clone()).expect("sealed")));
            let settled = taken.into_iter().map(|one| (one, Settlement::Ack)).collect();
            self.queue.settle(settled).await.into_iter().for_each(|settled| settled.expect("settled"));
        }
        deliveries
    }

    /// Keeps the queue from writing for as long as the lock lives.
    pub(crate) fn stall_queue(&self) -> Stall {
        let file = self.folder.path().join(afluente_queue::embedded::QUEUE_FILE);
        let lock = rusqlite::Connection::open(file).expect("the queue's file");
        lock.execute_batch("begin immediate").expect("the write lock");
        Stall { _lock: lock }
    }

    pub(crate) async fn close_queue(&self) {
        self.queue.close().await;
    }

    pub(crate) fn metrics(&self) -> String {
        self.metrics.render()
    }

    /// Names and labels of all series.
    pub(crate) fn series(&self) -> BTreeSet<String> {
        let metrics = self.metrics();
        let values = metrics.lines().filter(|line| line.starts_with("afluente_") && !line.contains("_seconds"));
        values.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
    }

    pub(crate) async fn wait_until(&self, holds: impl Fn(&str) -> bool) {
        let waiting = async {
            while !holds(&self.metrics()) {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, waiting).await.expect("the metrics show it in time");
    }

    pub(crate) async fn wait_until_closed_to_others(&self) {
        let waiting = async {
            while TcpStream::connect(self.address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, waiting).await.expect("the listener is closed in time");
    }

    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn ended(&mut self) -> Result<Drained, RunError> {
        timeout(DEADLINE, &mut self.task).await.expect("ended in time").expect("no panic")
    }

    pub(crate) async fn drained(&mut self) -> Drained {
        self.ended().await.expect("it had run")
    }

    /// Ends the test: the listener comes down and nobody is cut off.
    pub(crate) async fn close(mut self) {
        self.stop();
        assert_eq!(self.drained().await, Drained { cut_off: 0 });
    }
}

/// Another hand on the queue's file.
pub(crate) struct Stall {
    _lock: rusqlite::Connection,
}

fn accounts(secrets: &[(&str, &[&str])]) -> Arc<Accounts> {
    let account = |(name, secrets): &(&str, &[&str])| {
        let secrets = secrets.iter().map(|text| Secret::new(text).expect("a secret"));
        let name = AccountName::parse(name).expect("a name");
        let alias = format!("/api/{name}/stripe%20hook/");
        let account = Account::new(adapter(Gateway::Stripe), name, Credentials::hmac(secrets, 300));
        account.with_aliases(vec![alias.into()])
    };
    Arc::new(secrets.iter().map(account).collect())
}

fn seal_keys() -> SealKeys {
    SealKeys::new(SealKey::from_bytes([7; 32]), [])
}
