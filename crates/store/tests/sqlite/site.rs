//! A fresh file for every test.

use afluente_store::Store;

use crate::conformance::content::{account_rows, at};

/// A ledger with two accounts, gone with the value.
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.save_accounts(&account_rows(), at(0)).await.unwrap();
    tx.commit().await.unwrap();
    Site { store, folder }
}
