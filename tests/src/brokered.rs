//! A shop with a broker between its ingress and its workers, and its ledger on a server.

use std::collections::BTreeSet;

use afluente_testkit::{Broker, Corner, Database, Proxy};
use sqlx::PgPool;

use crate::{Shop, Up, wait_until};

/// A shop, its corner of a broker, and its database.
pub struct Brokered {
    /// The shop.
    pub shop: Shop,
    /// Its queues.
    pub corner: Corner,
    runtime: tokio::runtime::Runtime,
    ledger: PgPool,
    /// Gone with the value, after everything that uses it.
    _database: Database,
}

impl Default for Brokered {
    fn default() -> Brokered {
        Brokered::new()
    }
}

impl Brokered {
    /// On the broker that all tests share.
    #[must_use]
    pub fn new() -> Brokered {
        Brokered::in_corner(Corner::of_the_shared_broker())
    }

    /// On a broker of the test's own.
    #[must_use]
    pub fn on(broker: &Broker) -> Brokered {
        Brokered::in_corner(Corner::of(&broker.url()))
    }

    fn in_corner(corner: Corner) -> Brokered {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let database = runtime.block_on(Database::create());
        let prefix = corner.prefix();
        let shop = Shop::with(&format!(
            "[queue]\nurl = {{ file = \"queue.url\" }}\nprefix = \"{prefix}\"\n[ledger]\nurl = \"{}\"\n",
            database.url()
        ));
        shop.private("queue.url", corner.url());
        let ledger = runtime.block_on(database.beside());
        Brokered { shop, corner, runtime, ledger, _database: database }
    }

    /// Another ingress: each has a folder of its own, for its spool.
    #[must_use]
    pub fn ingress(&self) -> (Shop, Up) {
        let shop = self.shop.copy();
        let up = Up::start_role("ingress", &shop.data());
        (shop, up)
    }

    /// Another worker.
    #[must_use]
    pub fn worker(&self) -> Up {
        Up::start_role("worker", &self.shop.data())
    }

    /// Another worker, whose broker is behind this forwarder.
    #[must_use]
    pub fn worker_through(&self, network: &Proxy) -> (Shop, Up) {
        let shop = self.shop.copy();
        shop.private("queue.url", &format!("amqp://guest:guest@127.0.0.1:{}", network.port()));
        let up = Up::start_role("worker", &shop.data());
        (shop, up)
    }

    /// A number the ledger answers a query with.
    #[must_use]
    pub fn count(&self, query: &'static str) -> i64 {
        self.runtime.block_on(sqlx::query_scalar(query).fetch_one(&self.ledger)).unwrap()
    }

    /// The names of the events that stand in the ledger, each of which must stand there once.
    #[must_use]
    pub fn events(&self) -> BTreeSet<String> {
        let query = sqlx::query_scalar("select event_id from webhook_receipts order by event_id");
        let rows: Vec<Option<String>> = self.runtime.block_on(query.fetch_all(&self.ledger)).unwrap();
        let names: Vec<String> = rows.into_iter().flatten().collect();
        let events: BTreeSet<String> = names.iter().cloned().collect();
        assert_eq!(events.len(), names.len(), "an event stands there twice");
        events
    }

    /// Waits until the events of these payments are in the ledger, and checks that the ledger is what its facts say.
    pub fn has(&self, names: &BTreeSet<String>) {
        let wanted: BTreeSet<String> = names.iter().map(|name| format!("snapshot:evt_{name}")).collect();
        wait_until("everything acknowledged is in the ledger", || wanted.is_subset(&self.events()));
        let checked = self.shop.run(&["rebuild", "--check"]).expect(0);
        assert!(checked.out.contains("0 differences"), "{checked:#?}");
    }

    /// Holds every table a worker writes to until it is let go, as a migration or a careless hand would.
    #[must_use]
    pub fn hold_the_ledger(&self) -> HeldLedger<'_> {
        let held = self.runtime.block_on(async {
            let mut held = self.ledger.begin().await.unwrap();
            sqlx::query("lock table webhook_receipts, payments, payment_names in access exclusive mode")
                .execute(&mut *held)
                .await
                .unwrap();
            held
        });
        HeldLedger { site: self, held }
    }

    /// Who consumes Stripe's queue, as the broker has it.
    #[must_use]
    pub fn consumers(&self) -> u32 {
        self.runtime.block_on(self.corner.looked_at("stripe")).map_or(0, |(_, consumers)| consumers)
    }

    /// Puts something on a gateway's queue with a head that was made up.
    pub fn publish_with_head(&self, head: &str, body: &str) {
        self.runtime.block_on(self.corner.publish_with_head("stripe", head, body.as_bytes()));
    }

    /// What the ledger says why letters are dead, each once.
    #[must_use]
    pub fn dead_because(&self) -> BTreeSet<String> {
        let query = sqlx::query_scalar("select reason || ': ' || error from dead_letters");
        let rows: Vec<String> = self.runtime.block_on(query.fetch_all(&self.ledger)).unwrap();
        rows.into_iter().collect()
    }

    /// Puts something on a gateway's queue that no version of ours wrote.
    pub fn publish_garbage(&self, body: &str) {
        self.runtime.block_on(self.corner.publish_plain("stripe", body.as_bytes()));
    }
}

/// A ledger nobody can write to.
pub struct HeldLedger<'a> {
    site: &'a Brokered,
    held: sqlx::Transaction<'static, sqlx::Postgres>,
}

impl HeldLedger<'_> {
    /// Whether a worker stands before it.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        let waiting = "select count(*) from pg_locks join pg_database on pg_database.oid = database
                       where not granted and datname = current_database()";
        self.site.count(waiting) > 0
    }

    /// Lets go.
    pub fn let_go(self) {
        self.site.runtime.block_on(self.held.rollback()).unwrap();
    }
}
