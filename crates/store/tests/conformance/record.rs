//! What a batch leaves behind: said once, counted every time.

use afluente_model::{CaptureKind, Detail, Fact, PaymentKind, Source};
use afluente_store::{ClaimRow, FactRow, Inconsistency, Receipt, UnknownWordRow};
use uuid::Uuid;

use super::content::{account, at, key, payment, receipt, stored_receipt};
use crate::site::site;

#[tokio::test]
async fn a_claim_is_kept_once_with_the_newest_of_its_times_whatever_order_they_come_in() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let shop = account("shop");
    let claim = |value, at, turned: bool| ClaimRow {
        account: &shop,
        tenant: "",
        subject_kind: "payment",
        subject_id: "pi_1",
        claims: if turned {
            vec![("name", "Ana"), ("email", value), ("email", value)]
        } else {
            vec![("email", value), ("name", "Ana")]
        },
        at,
        source: Source::Webhook,
        receipt,
    };
    for (value, times) in [
        ("rising@example.com", [None, Some(at(1)), Some(at(2))]),
        ("falling@example.com", [Some(at(2)), Some(at(1)), None]),
        ("once@example.com", [Some(at(2)); 3]),
        ("timeless@example.com", [None; 3]),
    ] {
        // One by one, and again all at once.
        for time in times {
            tx.add_claims(&[claim(value, time, false)], at(2)).await.unwrap();
        }
        let together: Vec<ClaimRow<'_>> = times.iter().map(|time| claim(value, *time, true)).collect();
        tx.add_claims(&together, at(3)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let newest = "select count(*) from identity_claims where at = (select max(at) from identity_claims)";
    assert_eq!(site.count(newest).await, 3);
    assert_eq!(site.count("select count(*) from identity_claims where at is null").await, 1);
    assert_eq!(site.count("select count(*) from identity_claims").await, 4);
    let whole =
        r#"select count(*) from identity_claims where claims = '[["email","once@example.com"],["name","Ana"]]'"#;
    assert_eq!(site.count(whole).await, 1);
}

#[tokio::test]
async fn an_unknown_word_is_counted_where_it_stood() {
    let site = site().await;
    let word = |word: &str| UnknownWordRow {
        account: account("shop"),
        field: "charge.status",
        word: word.into(),
        receipt: Uuid::nil(),
    };
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
    for reported in [[odd("a")].as_slice(), &[odd("a"), odd("b"), odd("a")]] {
        tx.report_inconsistencies(reported, at(1)).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().inconsistencies, 2);
}

#[tokio::test]
async fn a_text_with_a_nul_or_any_other_character_is_kept_and_costs_no_delivery() {
    let site = site().await;
    let odd = "ação \u{1} \u{7f} 漢 \u{10ffff} \" \\u0000 \\ \0 end";
    let mut tx = site.store.begin().await.unwrap();
    let stored = Receipt { event_type: odd.into(), ..receipt(Some("evt_1"), odd.as_bytes()) };
    tx.claim(std::slice::from_ref(&stored), at(1)).await.unwrap();
    let word =
        UnknownWordRow { account: account("shop"), field: "charge.status", word: odd.into(), receipt: Uuid::nil() };
    tx.count_unknown_words(&[word.clone(), word], at(1)).await.unwrap();
    let payment = payment(&mut tx, &key("shop", "", "pi_1")).await.id;
    let fact = Fact::new(PaymentKind::Capture(CaptureKind::Succeeded), "ch_1", Some(at(2)), Source::Webhook)
        .detail(Detail::word(odd));
    let row = FactRow { payment, named: "pi_1".into(), fact: fact.clone(), receipt: stored.id };
    tx.add_facts(&[row], at(2)).await.unwrap();
    let held = tx.held_receipts(&[stored.id]).await.unwrap();
    assert_eq!(&held[0].incoming.body()[..], odd.as_bytes(), "bodies are bytes");
    let facts = tx.facts_of(&[payment]).await.unwrap();
    assert_eq!((&facts[0].fact, facts[0].key), (&fact, fact.key()));
    tx.commit().await.unwrap();
    let words = site.store.unknown_words(10).await.unwrap();
    assert_eq!((words[0].word.as_str(), words[0].seen), (odd.replace('\0', "\u{fffd}").as_str(), 2));
}
