//! A ledger in a file of its own for every test.

use afluente_store::{LEDGER_FILE, Location, Store, StoreOptions};
use rusqlite::Connection;
use rusqlite::types::FromSql;

use crate::suite::bench::Bench;

/// A ledger, gone with the value.
pub(crate) struct Ledger {
    pub(crate) folder: tempfile::TempDir,
}

impl Ledger {
    #[allow(clippy::unused_async, reason = "on the other database it waits")]
    pub(crate) async fn new() -> Ledger {
        Ledger { folder: tempfile::tempdir().unwrap() }
    }

    /// Where it is.
    pub(crate) fn location(&self) -> Location {
        Location::Folder(self.folder.path().to_owned())
    }

    /// Its file, opened by another program.
    pub(crate) fn beside(&self) -> Connection {
        Connection::open(self.folder.path().join(LEDGER_FILE)).unwrap()
    }

    /// Runs statements on it, as another program would.
    #[allow(clippy::unused_async, reason = "on the other database it waits")]
    pub(crate) async fn run(&self, sql: &str) {
        self.beside().execute_batch(sql).unwrap();
    }

    /// A text it answers a query with.
    #[allow(clippy::unused_async, reason = "on the other database it waits")]
    pub(crate) async fn text(&self, sql: &str) -> String {
        self.read(sql)
    }

    /// One value of the file.
    pub(crate) fn read<T: FromSql>(&self, sql: &str) -> T {
        self.beside().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// From now on this happens whenever a receipt of this event is written.
    pub(crate) async fn trigger(&self, event: &str, happens: &str) {
        self.run(&format!(
            "create trigger planted before insert on webhook_receipts when new.event_id like '%{event}%' begin {happens}; end"
        ))
        .await;
    }

    /// From now on it refuses whatever comes with this event.
    pub(crate) async fn refuse(&self, event: &str) {
        self.trigger(event, "select raise(abort, 'refused by a trigger')").await;
    }
}

/// A bench whose ledger has this much room, in pages of 4 KiB.
pub(crate) async fn bench_with_room(pages: u32) -> Bench {
    let mut bench = Bench::new().await;
    let taken: u32 = bench.ledger.read("pragma page_count");
    bench.store.close().await;
    let options = StoreOptions { max_pages: Some(taken + pages), ..StoreOptions::default() };
    bench.store = Store::open_with(bench.ledger.location(), options).await.unwrap();
    bench
}
