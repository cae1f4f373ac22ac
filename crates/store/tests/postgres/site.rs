//! A fresh database for every test.

use afluente_store::{Location, Store, StoreOptions};
use afluente_testkit::Database;

use crate::conformance::content::{account_rows, at};

/// A ledger with two accounts, gone with the value.
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) database: Database,
}

impl Site {
    /// Where it is.
    pub(crate) fn location(&self) -> Location {
        location(&self.database)
    }

    /// Runs a statement in the ledger's database, as another program would.
    pub(crate) async fn run(&self, sql: &str) {
        self.database.run(sql).await;
    }

    /// A number the ledger's database answers a query with.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.database.beside().await).await.unwrap()
    }
}

pub(crate) fn location(database: &Database) -> Location {
    Location::Server(database.url().parse().unwrap())
}

pub(crate) async fn site() -> Site {
    site_with(StoreOptions::default()).await
}

pub(crate) async fn site_with(options: StoreOptions) -> Site {
    let database = Database::create().await;
    let store = Store::open_with(location(&database), options).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.save_accounts(&account_rows(), at(0)).await.unwrap();
    tx.commit().await.unwrap();
    Site { store, database }
}
