//! The schema: a version back and forth under data, one that is ahead, and reading at one moment.

use afluente_model::Source;
use afluente_store::{ClaimRow, DeadLetter, DeadReason, NameRow, Schema, Store, StoreError};

use super::content::{account, at, key, payment, receipt, stored_receipt};
use super::dead::letter;
use crate::site::site;

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_refused_by_every_opener_and_not_taken_back() {
    let site = site().await;
    site.store.close().await;
    site.run(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         select 9999, 'newer', success, checksum, execution_time from _sqlx_migrations where version = 1",
    )
    .await;
    let at = site.location();
    for opened in [Store::open(&at).await, Store::open_read_only(&at).await, Store::open_snapshot(&at).await] {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Migration(_)), "{error}");
    }
    let error = Schema::down(&at, 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Migration(_)), "{error}");
    assert_eq!(Schema::read(&at).await.unwrap().unknown().collect::<Vec<_>>(), [9999]);
}

#[tokio::test]
async fn a_ledger_with_data_goes_to_its_first_version_and_back_and_keeps_its_names_and_letters() {
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

    let before = Schema::read(&site.location()).await.unwrap();
    Schema::down(&site.location(), before.known.len() - 1).await.unwrap();
    assert_eq!(site.count("select count(*) from payment_aliases where alias = 'ch_1'").await, 1);
    assert_eq!(site.count("select count(*) from dead_letters where state = 'OPEN'").await, 2, "one a delivery");
    assert_eq!(site.count("select count(*) from dead_letters").await, 3, "none is deleted");

    let store = Store::open(site.location()).await.unwrap();
    assert_eq!(store.all_aliases().await.unwrap().len(), 1);
    assert_eq!(store.payments_named("ch_1", 10).await.unwrap()[0].key, own);
    let mut tx = store.begin().await.unwrap();
    let names = tx.lock_names(&[alias, own], at(3)).await.unwrap();
    assert!(names.iter().all(|row| &*row.payment == "pi_1"), "{names:?}");
}

#[tokio::test]
async fn a_claim_of_the_older_schema_becomes_one_with_the_newest_of_their_times() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let shop = account("shop");
    let claim = |claims, time| ClaimRow {
        account: &shop,
        tenant: "",
        subject_kind: "payment",
        subject_id: "pi_1",
        claims,
        at: Some(at(time)),
        source: Source::Webhook,
        receipt,
    };
    // Two envelopes that say one thing both, at the same time.
    let claims =
        [claim(vec![("email", "a@example.com"), ("name", "Ana")], 1), claim(vec![("email", "a@example.com")], 1)];
    tx.add_claims(&claims, at(5)).await.unwrap();
    tx.commit().await.unwrap();
    site.store.close().await;
    Schema::down(&site.location(), 9).await.unwrap();
    // The same once more without a time, and at the later time it was recorded at.
    for at in ["null", "recorded_at"] {
        site.run(&format!(
            "insert into identity_claims (account, tenant, subject_kind, subject_id, claim, value, at, source, receipt_id, recorded_at) \
             select account, tenant, subject_kind, subject_id, claim, value, {at}, source, receipt_id, recorded_at \
             from identity_claims where at < recorded_at and claim = 'email'"
        ))
        .await;
    }
    assert_eq!(site.count("select count(*) from identity_claims").await, 4);
    Schema::up(&site.location()).await.unwrap();
    assert_eq!(site.count("select count(*) from identity_claims").await, 2);
    let newest =
        r#"select count(*) from identity_claims where claims = '[["email","a@example.com"]]' and at = recorded_at"#;
    assert_eq!(site.count(newest).await, 1);
}

#[tokio::test]
async fn a_snapshot_does_not_see_what_commits_after_its_first_read() {
    let site = site().await;
    let snapshot = Store::open_snapshot(site.location()).await.unwrap();
    assert_eq!(snapshot.counts().await.unwrap().receipts, 0);
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&[receipt(Some("evt_1"), b"{}")], at(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().receipts, 1);
    assert_eq!(snapshot.counts().await.unwrap().receipts, 0);
}
