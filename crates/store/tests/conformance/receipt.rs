//! Receipts: every content once, byte for byte.

use afluente_model::{Answer, Asked, Gateway, Incoming, Proof, ProviderId, Statement, WantKind};
use afluente_store::{Claimed, Receipt, ReceiptState, Reread};
use bytes::Bytes;
use uuid::Uuid;

use super::content::{account, at, receipt};
use crate::site::site;

#[tokio::test]
async fn a_delivery_is_first_once_and_seen_afterwards_as_the_first_receipt() {
    let site = site().await;
    let (first, again) = (receipt(Some("evt_1"), b"{}"), receipt(Some("evt_1"), b"{}"));
    let mut tx = site.store.begin().await.unwrap();
    assert_eq!(tx.claim(std::slice::from_ref(&first), at(1)).await.unwrap(), [Claimed::First]);
    tx.commit().await.unwrap();
    let mut tx = site.store.begin().await.unwrap();
    assert_eq!(tx.claim(&[again], at(2)).await.unwrap(), [Claimed::Seen { receipt: first.id, applied: true }]);
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().receipts, 1);
    assert_eq!(site.store.receipts_of_events("shop").await.unwrap(), [("evt_1".to_owned(), 1)]);
}

#[tokio::test]
async fn a_delivery_that_was_ignored_is_seen_as_such_until_it_was_read_again() {
    let site = site().await;
    let ignored =
        Receipt { state: ReceiptState::Ignored, ignored_because: Some("other_mode"), ..receipt(Some("evt_1"), b"{}") };
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(std::slice::from_ref(&ignored), at(1)).await.unwrap();
    tx.commit().await.unwrap();
    for applied in [false, true] {
        let mut tx = site.store.begin().await.unwrap();
        let claimed = tx.claim(&[receipt(Some("evt_1"), b"{}")], at(2)).await.unwrap();
        assert_eq!(claimed, [Claimed::Seen { receipt: ignored.id, applied }]);
        let reread = Reread {
            receipt: ignored.id,
            state: ReceiptState::Applied,
            ignored_because: None,
            notes: Some(r#"["expected a text in name"]"#.into()),
            event_type: "payment_intent.succeeded".into(),
        };
        tx.save_reread(&[reread]).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(site.store.counts().await.unwrap().ignored, 0);
    assert_eq!(site.count("select count(*) from webhook_receipts where notes like '%a text in name%'").await, 1);
}

#[tokio::test]
async fn of_two_with_the_same_content_in_one_batch_one_is_first() {
    let site = site().await;
    let pair = [receipt(Some("evt_1"), b"{}"), receipt(Some("evt_1"), b"{}")];
    let mut tx = site.store.begin().await.unwrap();
    let claimed = tx.claim(&pair, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let firsts: Vec<Uuid> =
        pair.iter().zip(&claimed).filter(|(_, one)| **one == Claimed::First).map(|(one, _)| one.id).collect();
    assert_eq!(firsts.len(), 1);
    assert!(claimed.contains(&Claimed::Seen { receipt: firsts[0], applied: true }), "{claimed:?}");
}

#[tokio::test]
async fn the_same_event_with_another_body_and_the_same_body_with_another_event_are_kept() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let three = [receipt(Some("evt_1"), b"{}"), receipt(Some("evt_1"), b"{ }"), receipt(Some("evt_2"), b"{}")];
    assert_eq!(tx.claim(&three, at(1)).await.unwrap(), [Claimed::First; 3]);
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().receipts, 3);
}

#[tokio::test]
async fn bodies_come_back_byte_for_byte_each_its_own() {
    let site = site().await;
    let bodies: [&[u8]; 4] = [b"\xff\xfe\x00 not text", b"", "ação".as_bytes(), &vec![b'x'; 1 << 20]];
    let receipts: Vec<_> =
        bodies.iter().enumerate().map(|(n, body)| receipt(Some(&format!("evt_{n}")), body)).collect();
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&receipts, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let held = site.store.receipts_after(Uuid::nil(), 10, 1 << 24).await.unwrap();
    for sent in &receipts {
        let kept = held.iter().find(|kept| kept.id == sent.id).unwrap();
        assert_eq!(kept.incoming, sent.incoming);
        assert_eq!(kept.body_hash, sent.body_hash);
    }
}

#[tokio::test]
async fn everything_a_reading_may_depend_on_comes_back_of_deliveries_of_answers_and_of_statements() {
    let site = site().await;
    let proofs = [Proof::Channel { peer: "CN=bank".into() }, Proof::PathToken, Proof::None];
    let mut sent: Vec<Receipt> = proofs
        .into_iter()
        .map(|proof| {
            let mut sent = receipt(None, format!("{proof:?}").as_bytes());
            let Incoming::Delivery(delivery) = &mut sent.incoming else { unreachable!() };
            delivery.proof = proof;
            delivery.query = Some("data.id=1&type=payment".into());
            delivery.traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into());
            delivery.released_by = Some("ana".into());
            sent
        })
        .chain([answer(None), answer(Some("acct_1")), statement()])
        .collect();
    sent.sort_by_key(|sent| sent.id);
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&sent, at(1)).await.unwrap();
    let ids: Vec<Uuid> = sent.iter().map(|sent| sent.id).collect();
    let held = tx.held_receipts(&ids).await.unwrap();
    tx.commit().await.unwrap();
    assert!(held.iter().map(|held| &held.incoming).eq(sent.iter().map(|sent| &sent.incoming)), "{held:#?}");
    assert_eq!(site.store.receipts_after(Uuid::nil(), 10, 1 << 20).await.unwrap().len(), sent.len());
}

fn statement() -> Receipt {
    let body = Bytes::from_static(br#"{"id":7}"#);
    let incoming =
        Incoming::Statement(Statement { gateway: Gateway::Stripe, account: account("shop"), received_at: at(4), body });
    Receipt { incoming, ..receipt(None, b"stated") }
}

fn answer(tenant: Option<&str>) -> Receipt {
    let id = |text| ProviderId::parse(text).unwrap();
    let tenant = tenant.map(id);
    let asked = Asked {
        kind: WantKind::Disputes,
        id: id("ch_1"),
        context: tenant.as_ref().map(|_| id("acct_platform/acct_1")),
        listed: tenant.is_some(),
        tenant,
        path: "/v1/disputes?limit=100&charge=ch_1".into(),
    };
    let incoming = Incoming::Answer(Answer {
        gateway: Gateway::Stripe,
        account: account("shop"),
        asked,
        status: 404,
        received_at: at(3),
        headers: vec![("date".into(), "Sun, 06 Nov 1994 08:49:37 GMT".into())],
        body: Bytes::from_static(b"\x00\xff"),
    });
    Receipt { incoming, ..receipt(None, format!("{:?}", Uuid::now_v7()).as_bytes()) }
}

#[tokio::test]
async fn a_unit_of_work_that_is_dropped_leaves_nothing() {
    let site = site().await;
    let one = receipt(Some("evt_1"), b"{}");
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(std::slice::from_ref(&one), at(1)).await.unwrap();
    drop(tx);
    let mut tx = site.store.begin().await.unwrap();
    assert_eq!(tx.claim(&[one], at(2)).await.unwrap(), [Claimed::First]);
    tx.rollback().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().receipts, 0);
}

#[tokio::test]
async fn a_walk_over_large_receipts_holds_a_few_at_a_time_and_misses_none() {
    let site = site().await;
    let receipts: Vec<_> = (0..7).map(|n| receipt(Some(&format!("evt_{n}")), &vec![n; 1_000])).collect();
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&receipts, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let (mut after, mut seen) = (Uuid::nil(), Vec::new());
    for expected in [2, 2, 2, 1, 0] {
        let page = site.store.receipts_after(after, 500, 2_500).await.unwrap();
        assert_eq!(page.len(), expected);
        after = page.last().map_or(after, |last| last.id);
        seen.extend(page.into_iter().map(|one| one.id));
    }
    assert_eq!(seen, receipts.iter().map(|one| one.id).collect::<Vec<_>>());
    assert_eq!(site.store.receipts_after(Uuid::nil(), 500, 10).await.unwrap().len(), 1, "one at least");
}
