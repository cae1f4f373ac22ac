//! A part of a unit of work that fails takes nothing with it.

use afluente_model::Gateway;
use afluente_store::{NewPayment, StoreError, Tx};
use uuid::Uuid;

use super::content::{at, key, payment, receipt};
use crate::site::site;

/// A row no ledger takes: of an account that is not there.
async fn refused(tx: &mut Tx) -> Result<(), StoreError> {
    let stray =
        NewPayment { id: Uuid::now_v7(), key: key("nobody", "", "pi_9"), gateway: Gateway::Stripe, identity: None };
    tx.lock_payments(&[stray], &[], at(1)).await.map(drop)
}

#[tokio::test]
async fn a_part_that_fails_is_taken_back_alone_and_the_next_is_kept() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&[receipt(None, b"before")], at(1)).await.unwrap();
    tx.begin_part().await.unwrap();
    payment(&mut tx, &key("shop", "", "pi_lost")).await;
    let failed = refused(&mut tx).await;
    let inner = tx.end_part(failed).await.unwrap().unwrap_err();
    assert!(matches!(inner, StoreError::Orphaned { .. }), "{inner}");
    tx.begin_part().await.unwrap();
    payment(&mut tx, &key("shop", "", "pi_kept")).await;
    assert_eq!(tx.end_part(Ok(7)).await.unwrap().unwrap(), 7);
    tx.claim(&[receipt(None, b"after")], at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let counts = site.store.counts().await.unwrap();
    assert_eq!((counts.receipts, counts.payments), (2, 1));
    assert_eq!(site.count("select count(*) from payments where provider_payment_id = 'pi_kept'").await, 1);
}

#[tokio::test]
async fn a_failure_that_was_swallowed_inside_a_part_still_takes_it_back() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    tx.begin_part().await.unwrap();
    payment(&mut tx, &key("shop", "", "pi_lost")).await;
    refused(&mut tx).await.unwrap_err();
    let inner = tx.end_part(Ok(())).await.unwrap().unwrap_err();
    assert!(matches!(inner, StoreError::Over), "{inner}");
    tx.claim(&[receipt(None, b"after")], at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let counts = site.store.counts().await.unwrap();
    assert_eq!((counts.receipts, counts.payments), (1, 0));
}

#[tokio::test]
async fn a_part_that_gives_up_by_itself_is_taken_back() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    tx.begin_part().await.unwrap();
    payment(&mut tx, &key("shop", "", "pi_lost")).await;
    let missed = StoreError::Missed { table: "payments", expected: 2, got: 1 };
    assert!(tx.end_part::<()>(Err(missed)).await.unwrap().is_err());
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().payments, 0);
}
