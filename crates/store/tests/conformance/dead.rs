//! Dead letters: nothing is buried twice, nothing is settled twice.

use afluente_model::{DeliveryId, Gateway};
use afluente_store::report::DeadFilter;
use afluente_store::{DeadLetter, DeadReason, DeadState};
use bytes::Bytes;
use uuid::Uuid;

use super::content::at;
use crate::site::{Site, site};

pub(crate) fn letter(delivery: u128, reason: DeadReason) -> DeadLetter {
    DeadLetter {
        id: Uuid::now_v7(),
        delivery_id: DeliveryId(Uuid::from_u128(delivery)),
        gateway: Gateway::Stripe.slug(),
        account: Some("shop".into()),
        reason,
        error: "expected JSON, got \"\u{fffd}\"".to_owned(),
        attempts: 3,
        first_seen_at: at(1),
        head: Bytes::from_static(b"\x00head"),
        body: Bytes::from_static(b"\xffbody"),
    }
}

async fn bury(site: &Site, letters: &[DeadLetter]) {
    let mut tx = site.store.begin().await.unwrap();
    tx.bury(letters, at(2)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn settle(site: &Site, ids: &[Uuid], state: DeadState) -> Vec<Uuid> {
    let mut tx = site.store.begin().await.unwrap();
    let settled = tx.settle_dead(ids, state, "ana", "fixed", at(3)).await.unwrap();
    tx.commit().await.unwrap();
    settled
}

fn everything() -> DeadFilter {
    DeadFilter { settled: true, limit: 100, ..DeadFilter::default() }
}

#[tokio::test]
async fn a_delivery_buried_again_while_it_lies_there_is_counted_up_and_kept_byte_for_byte() {
    let site = site().await;
    bury(&site, &[letter(1, DeadReason::Malformed)]).await;
    bury(&site, &[letter(1, DeadReason::Malformed), letter(2, DeadReason::Refused)]).await;
    let list = site.store.dead_letters(&everything()).await.unwrap();
    assert_eq!(list.len(), 2);
    let twice = list.iter().find(|one| one.delivery_id == Uuid::from_u128(1)).unwrap();
    assert_eq!(twice.seen, 2);
    let held = site.store.dead_message(twice.id).await.unwrap().unwrap();
    assert_eq!((&held.head[..], &held.body[..]), (&b"\x00head"[..], &b"\xffbody"[..]));
    assert!(site.store.dead_message(Uuid::now_v7()).await.unwrap().is_none());
}

#[tokio::test]
async fn the_same_letter_twice_in_one_batch_is_one_that_was_seen_twice() {
    let site = site().await;
    let later = DeadLetter { attempts: 7, ..letter(1, DeadReason::Refused) };
    bury(&site, &[letter(1, DeadReason::Malformed), letter(2, DeadReason::Malformed), later]).await;
    let list = site.store.dead_letters(&everything()).await.unwrap();
    let twice = list.iter().find(|one| one.delivery_id == Uuid::from_u128(1)).unwrap();
    assert_eq!((list.len(), twice.seen, twice.attempts, twice.reason.as_str()), (2, 2, 7, "refused"));
}

#[tokio::test]
async fn a_second_body_under_one_delivery_id_is_a_letter_of_its_own() {
    let site = site().await;
    let other = DeadLetter { body: Bytes::from_static(b"another"), ..letter(1, DeadReason::Malformed) };
    bury(&site, &[letter(1, DeadReason::Malformed), other.clone()]).await;
    bury(&site, &[other]).await;
    let mut seen: Vec<i64> = site.store.dead_letters(&everything()).await.unwrap().iter().map(|one| one.seen).collect();
    seen.sort_unstable();
    assert_eq!(seen, [1, 2]);
}

#[tokio::test]
async fn of_two_who_settle_the_same_letter_one_does() {
    let site = site().await;
    let one = letter(1, DeadReason::Malformed);
    bury(&site, std::slice::from_ref(&one)).await;
    assert_eq!(settle(&site, &[one.id], DeadState::Discarded).await, [one.id]);
    assert!(settle(&site, &[one.id, Uuid::now_v7()], DeadState::Replayed).await.is_empty());
    let list = site.store.dead_letters(&everything()).await.unwrap();
    assert_eq!((list[0].state.as_str(), list[0].settled_by.as_deref()), ("DISCARDED", Some("ana")));
    let open = DeadFilter { settled: false, ..everything() };
    assert!(site.store.dead_letters(&open).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_replayed_and_failed_again_lies_there_again() {
    let site = site().await;
    let one = letter(1, DeadReason::Exhausted);
    bury(&site, std::slice::from_ref(&one)).await;
    settle(&site, &[one.id], DeadState::Replayed).await;
    bury(&site, &[letter(1, DeadReason::Exhausted)]).await;
    let open = DeadFilter { settled: false, ..everything() };
    assert_eq!(site.store.dead_letters(&open).await.unwrap().len(), 1);
    assert_eq!(site.store.dead_letters(&everything()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn letters_are_filtered_by_reason_account_and_time() {
    let site = site().await;
    let reasons = [DeadReason::Malformed, DeadReason::Malformed, DeadReason::Refused];
    let letters: Vec<DeadLetter> = (1..).zip(reasons).map(|(n, reason)| letter(n, reason)).collect();
    bury(&site, &letters).await;
    let refused = DeadFilter { reason: Some(DeadReason::Refused), ..everything() };
    assert_eq!(site.store.dead_letters(&refused).await.unwrap().len(), 1);
    let stranger = DeadFilter { account: Some("stranger".to_owned()), ..everything() };
    assert!(site.store.dead_letters(&stranger).await.unwrap().is_empty());
    let came = site.store.dead_letters(&everything()).await.unwrap()[0].last_seen_at;
    for (micros, count) in [(0, 3), (1, 0)] {
        let since = DeadFilter { since: Some(came.shifted(micros)), ..everything() };
        assert_eq!(site.store.dead_letters(&since).await.unwrap().len(), count);
    }
}

#[tokio::test]
async fn every_reason_the_program_knows_fits_the_table() {
    let site = site().await;
    let letters: Vec<DeadLetter> = (1..).zip(DeadReason::ALL).map(|(n, reason)| letter(n, *reason)).collect();
    bury(&site, &letters).await;
    assert_eq!(site.store.counts().await.unwrap().dead_letters, i64::try_from(DeadReason::ALL.len()).unwrap());
}
