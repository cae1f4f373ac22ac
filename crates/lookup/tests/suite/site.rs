//! A ledger with an account that asks, and questions in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use afluente_gateways::{AccountView, Secret, Tenants, adapter};
use afluente_lookup::{Access, Accounts, Auth, Base, Budget, Lookup, LookupAccount, Settings, run};
use afluente_model::{AccountName, Gateway, MerchantName, Mode, WantKind, WantReason};
use afluente_store::report::WantView;
use afluente_store::{AccountRow, Store, WantRow};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Site {
    pub(crate) store: Store,
    _folder: TempDir,
}

/// Look-ups that run until they are dropped or stopped.
pub(crate) struct Running {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(DEADLINE, &mut self.task).await.unwrap().unwrap();
    }

    /// As a kill would: at whatever it is doing.
    pub(crate) fn kill(self) {
        self.task.abort();
    }
}

impl Site {
    pub(crate) async fn open() -> Site {
        Site::of(Gateway::Stripe).await
    }

    pub(crate) async fn of(gateway: Gateway) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let row = AccountRow {
            name: name(),
            merchant: MerchantName::parse("default").unwrap(),
            gateway,
            external_id: None,
            mode: Mode::Test,
            replaces: None,
        };
        tx.save_accounts(&[row], afluente_worker::now()).await.unwrap();
        tx.commit().await.unwrap();
        Site { store, _folder: folder }
    }

    /// Raises a question that is due at once.
    pub(crate) async fn wants(&self, kind: WantKind, reference: &str, reason: WantReason) {
        self.wants_of("", None, kind, reference, reason).await;
    }

    pub(crate) async fn wants_of(
        &self,
        tenant: &str,
        context: Option<&str>,
        kind: WantKind,
        reference: &str,
        reason: WantReason,
    ) {
        let now = afluente_worker::now();
        let want = WantRow {
            id: Uuid::now_v7(),
            account: name(),
            tenant: tenant.into(),
            kind,
            reference: reference.into(),
            context: context.map(Into::into),
            reason,
            not_before: now,
            is_proved: true,
            receipt: Uuid::nil(),
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.open_wants(&[want], now).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) fn asks(&self, access: Access) -> Running {
        self.asks_with(access, settings())
    }

    pub(crate) fn asks_with(&self, access: Access, settings: Settings) -> Running {
        self.asks_for(accounts(access), settings)
    }

    pub(crate) fn asks_for(&self, accounts: Accounts, settings: Settings) -> Running {
        let (stop, stopped) = oneshot::channel();
        let (_, accounts) = watch::channel(Arc::new(accounts));
        let lookup = Lookup { store: self.store.clone(), accounts, settings };
        let task = tokio::spawn(run(lookup, async move {
            let _ = stopped.await;
        }));
        Running { stop: Some(stop), task }
    }

    /// The open questions, once they are as expected.
    pub(crate) async fn open_when(&self, holds: impl Fn(&[WantView]) -> bool) -> Vec<WantView> {
        let waited = tokio::time::timeout(DEADLINE, async {
            loop {
                let open = self.store.wants(None, 100).await.unwrap();
                if holds(&open) {
                    return open;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        if let Ok(open) = waited.await {
            return open;
        }
        panic!("never so: {:#?}", self.store.wants(None, 100).await.unwrap());
    }

    /// How the one open question stands once it was asked so often.
    pub(crate) async fn asked_times(&self, attempts: i64) -> WantView {
        self.open_when(|open| open.len() == 1 && open[0].attempts >= attempts).await.remove(0)
    }

    /// Waits until nothing is open.
    pub(crate) async fn all_answered(&self) {
        self.open_when(<[WantView]>::is_empty).await;
    }

    /// Status and captured amount of the payment with this id.
    pub(crate) async fn payment(&self, id: &str) -> Option<(String, i64)> {
        let rows = self.store.payments_named(id, 2).await.unwrap();
        let row = rows.first()?;
        Some((row.payment.status.as_str().to_owned(), row.payment.amounts.captured.minor()))
    }
}

pub(crate) fn name() -> AccountName {
    AccountName::parse("shop").unwrap()
}

/// Fast enough for a test that waits on conditions.
pub(crate) fn settings() -> Settings {
    Settings {
        every: Duration::from_millis(20),
        call_timeout: Duration::from_millis(500),
        lease: Duration::from_secs(10),
        ..Settings::default()
    }
}

pub(crate) const TOKEN: &str = "rk_test_token_of_the_shop";

pub(crate) fn access(base: &str) -> Access {
    let budget = Budget { per_second: 1_000, per_month: None, at_once: 4 };
    let api = &adapter(Gateway::Stripe).profile().apis[0];
    Access {
        api,
        base: Base::parse(base).unwrap(),
        auth: Auth::Bearer(Secret::new(TOKEN).unwrap()),
        tls: None,
        signed: None,
        budget,
    }
}

fn accounts(access: Access) -> Accounts {
    let account = afluente_worker::Account {
        gateway: Gateway::Stripe,
        merchant: MerchantName::parse("default").unwrap(),
        adapter: adapter(Gateway::Stripe),
        view: AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Any },
        replaces: None,
    };
    Accounts(BTreeMap::from([(name(), LookupAccount { account, access, keys: None })]))
}

/// A payment intent that took its money, as the API gives it.
pub(crate) fn intent(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","object":"payment_intent","amount":1000,"amount_received":1000,"currency":"brl","created":1767225600,"latest_charge":"ch_{id}","livemode":false,"status":"succeeded"}}"#
    )
}
