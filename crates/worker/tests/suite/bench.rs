//! A real queue and a real ledger, and what to put into them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use afluente_gateways::{
    AccountView, Adapter, Api, Call, Credentials, Envelope, Impossible, Malformed, Profile, Reading, Rejection,
    Request, Tenants, Want, adapter, vocabulary,
};
use afluente_model::{AccountName, Delivery, Gateway, MerchantName, Mode, Proof, Timestamp};
use afluente_queue::{EmbeddedOptions, Queue, SealKey, SealKeys, Sealed, Settlement};
use afluente_store::report::{DeadFilter, PaymentFilter};
use afluente_store::{Store, StoreOptions};
use afluente_worker::{Account, Accounts, Outcome, Postponed, column, handle};
use uuid::Uuid;

use crate::site::Ledger;

/// Seconds since 1970 when everything in these tests is received.
pub(crate) const NOW: i64 = 1_790_000_000;

pub(crate) struct Bench {
    pub(crate) ledger: Ledger,
    pub(crate) queue: Queue,
    pub(crate) store: Store,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) keys: Arc<SealKeys>,
    _folder: tempfile::TempDir,
}

pub(crate) fn account(mode: Mode) -> Account {
    let view = AccountView { mode, external_id: None, tenants: Tenants::Own };
    let merchant = MerchantName::parse("default").unwrap();
    Account { gateway: Gateway::Stripe, merchant, adapter: adapter(Gateway::Stripe), view, replaces: None }
}

pub(crate) fn accounts(names: &[&str], mode: Mode) -> Accounts {
    Accounts(names.iter().map(|name| (AccountName::parse(name).unwrap(), account(mode))).collect::<BTreeMap<_, _>>())
}

impl Bench {
    /// A queue, and a ledger that knows the account `shop` only.
    pub(crate) async fn new() -> Bench {
        Bench::with(StoreOptions::default()).await
    }

    pub(crate) async fn with(options: StoreOptions) -> Bench {
        let (folder, ledger) = (tempfile::tempdir().unwrap(), Ledger::new().await);
        let queue = Queue::open_embedded(EmbeddedOptions::new(folder.path())).unwrap();
        let store = Store::open_with(ledger.location(), options).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.save_accounts(&accounts(&["shop"], Mode::Test).rows(), Timestamp::EPOCH).await.unwrap();
        tx.commit().await.unwrap();
        let keys = Arc::new(SealKeys::new(SealKey::from_bytes([1; 32]), []));
        let accounts = Arc::new(accounts(&["shop", "ghost"], Mode::Test));
        Bench { ledger, queue, store, accounts, keys, _folder: folder }
    }

    /// The configuration says another mode from now on.
    pub(crate) fn mode(&mut self, mode: Mode) {
        self.accounts = Arc::new(accounts(&["shop", "ghost"], mode));
    }

    /// The adapter of `shop` panics from now on where a body says so.
    pub(crate) fn explosive(&mut self) {
        let mut accounts = accounts(&["shop", "ghost"], Mode::Test);
        for account in accounts.0.values_mut() {
            account.adapter = &Explosive;
        }
        self.accounts = Arc::new(accounts);
    }

    /// One batch of these bodies for `shop`.
    pub(crate) async fn bodies(&self, bodies: &[String]) -> Vec<Outcome> {
        self.handle(bodies.iter().map(|body| self.sealed("shop", body)).collect(), true).await
    }

    pub(crate) fn sealed(&self, account: &str, body: &str) -> Sealed {
        self.keys.seal(&delivery(account, body))
    }

    /// Publishes messages and handles them as one batch, settling nothing.
    pub(crate) async fn verdicts(&self, messages: Vec<Sealed>) -> Vec<Result<Outcome, Postponed>> {
        let count = messages.len();
        for message in messages {
            self.queue.publish(message).await.unwrap();
        }
        let batch = self.queue.take(count, Duration::ZERO).await.unwrap();
        assert_eq!(batch.len(), count);
        handle(&self.store, &batch, &self.accounts, &self.keys).await
    }

    /// Publishes messages and handles them as one batch; settled only if asked.
    pub(crate) async fn handle(&self, messages: Vec<Sealed>, settled: bool) -> Vec<Outcome> {
        let count = messages.len();
        for message in messages {
            self.queue.publish(message).await.unwrap();
        }
        let batch = self.queue.take(count, Duration::ZERO).await.unwrap();
        assert_eq!(batch.len(), count);
        let outcomes = handle(&self.store, &batch, &self.accounts, &self.keys).await;
        if settled {
            let done = batch.into_iter().map(|message| (message, Settlement::Ack)).collect();
            self.queue.settle(done).await.into_iter().for_each(Result::unwrap);
        }
        outcomes.into_iter().map(Result::unwrap).collect()
    }

    /// Hands over until everything is acknowledged, as a queue would.
    pub(crate) async fn insist(&self, deliveries: &[Delivery]) {
        for part in deliveries.chunks(7) {
            let mut tries = 0;
            while !self.offer(part).await {
                tries += 1;
                assert!(tries < 200, "it is never acknowledged");
            }
        }
    }

    /// Hands over once; whether all of it is acknowledged.
    pub(crate) async fn offer(&self, deliveries: &[Delivery]) -> bool {
        for one in deliveries {
            self.queue.publish(self.keys.seal(one)).await.unwrap();
        }
        let batch = self.queue.take(deliveries.len(), Duration::from_secs(1)).await.unwrap();
        let outcomes = handle(&self.store, &batch, &self.accounts, &self.keys).await;
        let done = batch.into_iter().map(|message| (message, Settlement::Ack)).collect();
        self.queue.settle(done).await.into_iter().for_each(Result::unwrap);
        outcomes.iter().all(Result::is_ok)
    }

    /// Every payment by its name, over the columns rows are compared by.
    pub(crate) async fn rows(&self) -> BTreeMap<String, String> {
        let rows = self.store.payments(&PaymentFilter { limit: 1_000, ..PaymentFilter::default() }).await.unwrap();
        rows.iter()
            .map(|row| (row.key.id.to_string(), format!("{:?} {}", column::of_payment(&row.payment), row.fact_count)))
            .collect()
    }

    pub(crate) async fn dead(&self) -> Vec<(String, String)> {
        let letters = self.store.dead_letters(&DeadFilter { limit: 100, ..DeadFilter::default() }).await.unwrap();
        letters.into_iter().map(|letter| (letter.reason, letter.error)).collect()
    }
}

pub(crate) fn delivery(account: &str, body: &str) -> Delivery {
    let (account, received_at) = (AccountName::parse(account).unwrap(), Timestamp::from_seconds(NOW).unwrap());
    Delivery { account, received_at, ..afluente_testkit::delivery(Uuid::now_v7(), body) }
}

pub(crate) fn event(id: &str, kind: &str, created: i64, object: &str) -> String {
    format!(
        r#"{{"id":"evt_{id}","object":"event","type":"{kind}","created":{created},"livemode":false,"data":{{"object":{object}}}}}"#
    )
}

pub(crate) fn paid(name: &str) -> String {
    let object = format!(
        r#"{{"id":"pi_{name}","object":"payment_intent","amount":500,"amount_received":500,"currency":"brl","status":"succeeded","latest_charge":"ch_{name}"}}"#
    );
    event(name, "payment_intent.succeeded", NOW - 50, &object)
}

/// Stripe's adapter with a bug in it.
#[derive(Debug)]
struct Explosive;

impl Adapter for Explosive {
    fn profile(&self) -> &'static Profile {
        adapter(Gateway::Stripe).profile()
    }

    fn verify(&self, request: &Request<'_>, keys: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
        adapter(Gateway::Stripe).verify(request, keys, now)
    }

    fn normalise(&self, envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
        assert!(!envelope.body().windows(7).any(|part| part == b"explode"), "planted");
        adapter(Gateway::Stripe).normalise(envelope)
    }

    fn lookup(&self, want: &Want, api: &Api) -> Result<Vec<Call>, Impossible> {
        adapter(Gateway::Stripe).lookup(want, api)
    }

    fn vocabulary(&self) -> Vec<vocabulary::Entry> {
        adapter(Gateway::Stripe).vocabulary()
    }
}
