//! What a batch leaves behind: said once, counted every time.

use afluente_model::Source;
use afluente_store::{ClaimRow, Inconsistency, UnknownWordRow, WantRow};
use uuid::Uuid;

use super::content::{account, at, stored_receipt};
use crate::site::site;

#[tokio::test]
async fn one_open_want_a_reference() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let want = |reference: &str, tenant: &str| WantRow {
        id: Uuid::now_v7(),
        account: account("shop"),
        tenant: tenant.into(),
        kind: "charge".into(),
        reference: reference.into(),
        reason: "thin",
        not_before: at(1),
        receipt,
    };
    let asked = [want("ch_1", ""), want("ch_1", ""), want("ch_2", ""), want("ch_1", "acct_1")];
    assert_eq!(tx.open_wants(&asked, at(1)).await.unwrap(), 3);
    assert_eq!(tx.open_wants(&asked, at(2)).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let open = site.store.wants(Some("shop"), 10).await.unwrap();
    assert_eq!(open.len(), 3);
    assert!(open.iter().all(|want| want.created_at == at(1)), "the first stays as it is");
    assert!(site.store.wants(Some("other"), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_claim_is_kept_once_also_without_a_time() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let claim = |value: &str, at| ClaimRow {
        account: account("shop"),
        tenant: "".into(),
        subject_kind: "payment",
        subject_id: "pi_1".into(),
        claim: "email",
        value: value.into(),
        at,
        source: Source::Webhook,
        receipt,
    };
    let rows = [claim("a@example.com", None), claim("a@example.com", None), claim("a@example.com", Some(at(1)))];
    tx.add_claims(&rows, at(2)).await.unwrap();
    tx.add_claims(&rows, at(3)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().claims, 2);
}

#[tokio::test]
async fn an_unknown_word_is_counted_where_it_stood() {
    let site = site().await;
    let word = |word: &str| UnknownWordRow { account: account("shop"), field: "charge.status", word: word.into() };
    let mut tx = site.store.begin().await.unwrap();
    tx.count_unknown_words(&[word("odd"), word("even")], at(1)).await.unwrap();
    tx.count_unknown_words(&[word("odd")], at(2)).await.unwrap();
    tx.commit().await.unwrap();
    let mut seen: Vec<(String, i64)> =
        site.store.unknown_words(10).await.unwrap().into_iter().map(|row| (row.word, row.seen)).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("even".to_owned(), 1), ("odd".to_owned(), 2)]);
}

#[tokio::test]
async fn a_contradiction_that_is_open_is_reported_once() {
    let site = site().await;
    let odd = |fingerprint: &str| Inconsistency {
        id: Uuid::now_v7(),
        kind: "contested",
        fingerprint: fingerprint.to_owned(),
        account: account("shop"),
        entity: "payment pi_1".to_owned(),
        detail: "Two words of one second.".to_owned(),
    };
    let mut tx = site.store.begin().await.unwrap();
    for reported in [[odd("a")].as_slice(), &[odd("a"), odd("b")]] {
        tx.report_inconsistencies(reported, at(1)).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().inconsistencies, 2);
}
