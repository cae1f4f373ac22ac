//! A shop whose ledger is on a server of the test's own.

use std::collections::BTreeMap;

use afluente_testkit::Server;

use crate::Shop;

/// The database the ledger is in, and the role that owns it: it may do there what it likes, and nothing elsewhere.
const DATABASE: &str = "shop";

/// A shop, and the server its ledger is on.
pub struct Served {
    /// The shop.
    pub shop: Shop,
    /// The server.
    pub server: Server,
}

impl Served {
    /// With a server of its own and two workers.
    #[must_use]
    pub fn new() -> Served {
        Served::on(Server::start(), None)
    }

    /// With this server, reached through another port if one is given.
    #[must_use]
    pub fn on(server: Server, port: Option<u16>) -> Served {
        server.psql(&format!("create role {DATABASE} login"));
        server.psql(&format!("create database {DATABASE} owner {DATABASE}"));
        let url = format!("postgres://{DATABASE}@127.0.0.1:{}/{DATABASE}", port.unwrap_or(server.port()));
        let shop = Shop::with(&format!("[ledger]\nurl = \"{url}\"\n[worker]\nworkers = 2\n"));
        Served { shop, server }
    }

    /// A number the ledger answers a query with.
    #[must_use]
    pub fn count(&self, query: &str) -> i64 {
        self.ask(query).parse().unwrap()
    }

    /// What the ledger answers a query with, a line a row, columns parted by `|`.
    #[must_use]
    pub fn ask(&self, query: &str) -> String {
        self.server.psql_in(DATABASE, query)
    }

    /// How often each gateway event stands in the ledger as a receipt.
    #[must_use]
    pub fn receipts(&self) -> BTreeMap<String, i64> {
        let rows = self.ask("select event_id, count(*) from afluente.webhook_receipts group by event_id");
        let row = |line: &str| line.split_once('|').map(|(event, count)| (event.to_owned(), count.parse().unwrap()));
        rows.lines().filter_map(row).collect()
    }
}

impl Default for Served {
    fn default() -> Served {
        Served::new()
    }
}
