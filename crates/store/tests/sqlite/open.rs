//! Opening: what is no ledger of ours is refused and left as it is.

use afluente_store::{LEDGER_FILE, Schema, Store, StoreError};

use crate::site::site;

#[tokio::test]
async fn a_reader_of_a_ledger_that_is_not_there_is_told_what_to_start() {
    let folder = tempfile::tempdir().unwrap();
    for opened in [Store::open_read_only(folder.path()).await, Store::open_snapshot(folder.path()).await] {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("afluente up"), "{error}");
    }
    assert!(!folder.path().join(LEDGER_FILE).exists());
}

#[tokio::test]
async fn another_kind_of_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LEDGER_FILE);
    let garbage = b"not a database, but long enough to be taken for one".repeat(40);
    std::fs::write(&path, &garbage).unwrap();
    for opened in [Store::open(folder.path()).await, Store::open_read_only(folder.path()).await] {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Open { .. }), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), garbage);
}

#[tokio::test]
async fn the_schema_can_be_taken_back_and_put_there_again() {
    let site = site().await;
    site.store.close().await;
    assert!(Schema::down(&site.location(), 100).await.unwrap().is_current());
    let path = site.folder.path().join(LEDGER_FILE);
    let pool = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(&path)).await.unwrap();
    let left: Vec<String> = sqlx::query_scalar(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name not like '_sqlx_%'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(left.is_empty(), "left behind: {left:?}");
    pool.close().await;
    Store::open(site.folder.path()).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn the_file_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let site = site().await;
    let mode = site.folder.path().join(LEDGER_FILE).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
