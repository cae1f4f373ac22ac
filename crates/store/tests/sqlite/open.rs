//! Opening: what is no ledger of ours is refused and left as it is.

use afluente_store::{DeadLetter, DeadReason, LEDGER_FILE, NameRow, Store, StoreError};

use crate::conformance::content::{at, key, payment, receipt};
use crate::conformance::dead::letter;
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
async fn a_ledger_of_a_newer_version_is_refused_by_every_opener() {
    let site = site().await;
    site.store.close().await;
    let path = site.folder.path().join(LEDGER_FILE);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'newer', true, x'00', 0)";
    sqlx::query(newer).execute(&pool).await.unwrap();
    pool.close().await;
    for opened in [Store::open(site.folder.path()).await, Store::open_read_only(site.folder.path()).await] {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Migration(_)), "{error}");
    }
}

#[tokio::test]
async fn the_schema_can_be_taken_back_and_put_there_again() {
    let site = site().await;
    site.store.close().await;
    let path = site.folder.path().join(LEDGER_FILE);
    let pool = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(&path)).await.unwrap();
    let migrations = sqlx::migrate!("migrations/sqlite");
    migrations.undo(&pool, 0).await.unwrap();
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
async fn a_ledger_with_data_goes_a_version_back_and_forth_and_keeps_its_names_and_letters() {
    let site = site().await;
    let (alias, own) = (key("shop", "", "ch_1"), key("shop", "", "pi_1"));
    let mut tx = site.store.begin().await.unwrap();
    payment(&mut tx, &own).await;
    tx.lock_names(&[alias.clone(), own.clone()], at(1)).await.unwrap();
    tx.save_names(&[NameRow { name: alias.clone(), payment: "pi_1".into() }], at(1)).await.unwrap();
    let first = letter(1, DeadReason::Malformed);
    let other_body = DeadLetter { body: b"another".to_vec().into(), ..letter(1, DeadReason::Malformed) };
    tx.bury(&[first, other_body, letter(2, DeadReason::Malformed)], at(2)).await.unwrap();
    tx.commit().await.unwrap();
    site.store.close().await;

    let path = site.folder.path().join(LEDGER_FILE);
    let pool = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(&path)).await.unwrap();
    sqlx::migrate!("migrations/sqlite").undo(&pool, 1).await.unwrap();
    let one = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool);
    assert_eq!(one("select count(*) from payment_aliases where alias = 'ch_1'").await.unwrap(), 1);
    assert_eq!(one("select count(*) from dead_letters where state = 'OPEN'").await.unwrap(), 2, "one a delivery");
    assert_eq!(one("select count(*) from dead_letters").await.unwrap(), 3, "none is deleted");
    pool.close().await;

    let store = Store::open(site.folder.path()).await.unwrap();
    assert_eq!(store.all_aliases().await.unwrap().len(), 1);
    assert_eq!(store.payments_named("ch_1", 10).await.unwrap()[0].key, own);
    let mut tx = store.begin().await.unwrap();
    let names = tx.lock_names(&[alias, own], at(3)).await.unwrap();
    assert!(names.iter().all(|row| &*row.payment == "pi_1"), "{names:?}");
}

#[tokio::test]
async fn a_snapshot_does_not_see_what_commits_after_its_first_read() {
    let site = site().await;
    let snapshot = Store::open_snapshot(site.folder.path()).await.unwrap();
    assert_eq!(snapshot.counts().await.unwrap().receipts, 0);
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&[receipt(Some("evt_1"), b"{}")], at(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().receipts, 1);
    assert_eq!(snapshot.counts().await.unwrap().receipts, 0);
}

#[tokio::test]
async fn the_file_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let site = site().await;
    let mode = site.folder.path().join(LEDGER_FILE).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
