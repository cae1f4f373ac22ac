//! A fresh file for every test.

use afluente_store::{LEDGER_FILE, Location, Store};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::conformance::content::{account_rows, at};

/// A ledger with two accounts, gone with the value.
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) folder: tempfile::TempDir,
}

impl Site {
    /// Where it is.
    pub(crate) fn location(&self) -> Location {
        Location::Folder(self.folder.path().to_owned())
    }

    /// Runs a statement on the ledger's file, as another program would.
    pub(crate) async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.beside().await).await.unwrap();
    }

    /// A number the ledger's file answers a query with.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.beside().await).await.unwrap()
    }

    async fn beside(&self) -> SqlitePool {
        let file = SqliteConnectOptions::new().filename(self.folder.path().join(LEDGER_FILE));
        SqlitePool::connect_with(file).await.unwrap()
    }
}

pub(crate) async fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.save_accounts(&account_rows(), at(0)).await.unwrap();
    tx.commit().await.unwrap();
    Site { store, folder }
}
