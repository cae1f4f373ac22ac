//! Units of work that fail or are cut off: whoever works next finds the ledger as if they had never begun.

use std::time::Duration;

use afluente_model::Gateway;
use afluente_store::{Class, LEDGER_FILE, NewPayment, Store, StoreError, StoreOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use uuid::Uuid;

use crate::conformance::content::{at, key, receipt};
use crate::site::{Site, site};

/// Another program on the same file.
async fn beside(site: &Site) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(site.folder.path().join(LEDGER_FILE));
    SqlitePool::connect_with(options).await.unwrap()
}

async fn store_one(store: &Store, body: &[u8]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.claim(&[receipt(None, body)], at(1)).await?;
    tx.commit().await
}

async fn receipts(site: &Site) -> i64 {
    site.store.counts().await.unwrap().receipts
}

/// A ledger that may grow by a few pages only, and a table beside it whose end makes room.
async fn full_site() -> (Site, SqlitePool) {
    let first = site().await;
    let other = beside(&first).await;
    sqlx::raw_sql("create table ballast (filler blob); insert into ballast values (zeroblob(400000))")
        .execute(&other)
        .await
        .unwrap();
    let pages: u32 = sqlx::query_scalar("pragma page_count").fetch_one(&other).await.unwrap();
    first.store.close().await;
    let options = StoreOptions { max_pages: Some(pages + 10), ..StoreOptions::default() };
    let store = Store::open_with(first.folder.path(), options).await.unwrap();
    (Site { store, ..first }, other)
}

#[tokio::test]
async fn a_full_disk_stops_nobody_once_there_is_room_again() {
    let (site, other) = full_site().await;
    let large = vec![7; 100_000];
    for _ in 0..3 {
        let error = store_one(&site.store, &large).await.unwrap_err();
        assert_eq!(error.class(), Class::Away, "{error}");
        assert_eq!(receipts(&site).await, 0);
    }
    sqlx::query("drop table ballast").execute(&other).await.unwrap();
    store_one(&site.store, &large).await.unwrap();
    assert_eq!(receipts(&site).await, 1);
}

#[tokio::test]
async fn a_probe_tells_a_full_ledger_from_one_with_room_and_leaves_nothing_behind() {
    let (site, other) = full_site().await;
    assert_eq!(site.store.probe(100_000).await.unwrap_err().class(), Class::Away);
    site.store.probe(10).await.unwrap();
    sqlx::query("drop table ballast").execute(&other).await.unwrap();
    site.store.probe(100_000).await.unwrap();
    let left: i64 = sqlx::query_scalar("select length(filler) from ledger_probe").fetch_one(&other).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_payment_that_was_not_made_is_an_error_and_not_a_payment_less() {
    let site = site().await;
    let other = beside(&site).await;
    let trigger = "create trigger lost before insert on payments when new.provider_payment_id = 'pi_2'
        begin select raise(ignore); end";
    sqlx::raw_sql(trigger).execute(&other).await.unwrap();
    let make = ["pi_1", "pi_2", "pi_3"].map(|id| NewPayment {
        id: Uuid::now_v7(),
        key: key("shop", "", id),
        gateway: Gateway::Stripe,
        identity: None,
    });
    let mut tx = site.store.begin().await.unwrap();
    let missed = tx.lock_payments(&make, &[], at(1)).await.unwrap_err();
    assert!(matches!(missed, StoreError::Missed { table: "payments", expected: 3, got: 2 }), "{missed}");
}

#[tokio::test]
async fn nothing_more_is_written_in_a_transaction_a_statement_of_which_failed() {
    let (site, _other) = full_site().await;
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&[receipt(None, &vec![7; 100_000])], at(1)).await.unwrap_err();
    // SQLite has ended the transaction by itself: this would commit alone.
    let after = tx.claim(&[receipt(None, b"small")], at(1)).await.unwrap_err();
    assert!(matches!(after, StoreError::Over), "{after}");
    assert!(matches!(tx.commit().await.unwrap_err(), StoreError::Over));
    assert_eq!(receipts(&site).await, 0);
}

#[tokio::test]
async fn a_part_that_fills_the_disk_is_taken_back_or_ends_the_unit_of_work_and_never_half_of_it() {
    let (site, other) = full_site().await;
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&[receipt(None, b"small")], at(1)).await.unwrap();
    tx.begin_part().await.unwrap();
    let failed = tx.claim(&[receipt(None, &vec![7; 100_000])], at(1)).await.map(drop);
    let kept = match tx.end_part(failed).await {
        Ok(inner) => {
            assert_eq!(inner.unwrap_err().class(), Class::Away);
            tx.commit().await.is_ok()
        }
        Err(ended) => {
            assert_eq!(ended.class(), Class::Away, "{ended}");
            assert!(matches!(tx.commit().await.unwrap_err(), StoreError::Over));
            false
        }
    };
    assert_eq!(receipts(&site).await, i64::from(kept));
    sqlx::query("drop table ballast").execute(&other).await.unwrap();
    store_one(&site.store, &vec![7; 100_000]).await.unwrap();
}

#[tokio::test]
async fn a_dropped_unit_of_work_leaves_no_lock_and_no_row() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&[receipt(None, b"{}")], at(1)).await.unwrap();
    drop(tx);
    store_one(&site.store, b"another").await.unwrap();
    assert_eq!(receipts(&site).await, 1);
}

#[tokio::test]
async fn a_begin_cut_off_while_it_waits_for_a_lock_is_not_found_open_by_the_next() {
    let site = site().await;
    let other = beside(&site).await;
    let mut lock = other.acquire().await.unwrap();
    sqlx::query("begin immediate").execute(&mut *lock).await.unwrap();
    for _ in 0..2 {
        let begun = tokio::time::timeout(Duration::from_millis(30), site.store.begin()).await;
        assert!(begun.is_err(), "another program holds the lock");
    }
    sqlx::query("rollback").execute(&mut *lock).await.unwrap();
    store_one(&site.store, b"{}").await.unwrap();
    assert_eq!(receipts(&site).await, 1);
}
