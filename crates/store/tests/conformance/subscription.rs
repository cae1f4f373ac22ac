//! Subscriptions: one row a key, every column both ways, and facts that are there once.

use afluente_model::{
    Detail, DetailKey, Fact, Source, SubscriptionBase, SubscriptionFact, SubscriptionKind, fold, project_subscription,
};
use afluente_store::{SubscriptionFactRow, SubscriptionKey, SubscriptionRow, Tx};
use uuid::Uuid;

use super::content::{account, at, stored_receipt};
use crate::site::site;

fn key(name: &str, id: &str) -> SubscriptionKey {
    SubscriptionKey { account: account(name), tenant: "".into(), id: id.into() }
}

async fn subscription(tx: &mut Tx, key: &SubscriptionKey) -> SubscriptionRow {
    let mut rows = tx.lock_subscriptions(&[(key.clone(), Uuid::now_v7())], at(1)).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

async fn two(tx: &mut Tx) -> (Uuid, Uuid) {
    (subscription(tx, &key("shop", "sub_1")).await.id, subscription(tx, &key("shop", "sub_2")).await.id)
}

fn fact(kind: SubscriptionKind, seconds: i64) -> SubscriptionFact {
    let detail = Detail::word("word")
        .with_time(DetailKey::Since, Some(at(seconds - 90)))
        .with_time(DetailKey::Until, Some(at(seconds + 90)));
    Fact::new(kind, "", Some(at(seconds)), Source::Webhook).detail(detail)
}

/// Facts of every kind.
fn life() -> Vec<SubscriptionFact> {
    vec![
        fact(SubscriptionKind::Base(SubscriptionBase::Trialing), 1),
        fact(SubscriptionKind::Trial, 2),
        fact(SubscriptionKind::Period, 3),
        fact(SubscriptionKind::PauseCollection, 4),
        fact(SubscriptionKind::CancelSet, 5),
        fact(SubscriptionKind::Base(SubscriptionBase::Canceled), 6),
    ]
}

fn rows(subscription: Uuid, receipt: Uuid) -> Vec<SubscriptionFactRow> {
    life().into_iter().map(|fact| SubscriptionFactRow { subscription, fact, receipt }).collect()
}

#[tokio::test]
async fn one_key_is_one_row_and_a_row_that_goes_is_gone() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let first = subscription(&mut tx, &key("shop", "sub_1")).await;
    assert_eq!((first.row_version, first.fact_count, first.updated_at), (0, 0, at(1)));
    assert_eq!(subscription(&mut tx, &key("shop", "sub_1")).await.id, first.id);
    let others =
        [subscription(&mut tx, &key("other", "sub_1")).await.id, subscription(&mut tx, &key("shop", "sub_2")).await.id];
    assert!(!others.contains(&first.id));
    tx.delete_subscriptions(&others).await.unwrap();
    let left = tx.lock_subscription_ids(&[others[0], first.id, others[1]]).await.unwrap();
    assert_eq!(
        left.iter().map(|row| (row.id, row.key.clone())).collect::<Vec<_>>(),
        [(first.id, key("shop", "sub_1"))]
    );
}

#[tokio::test]
async fn what_is_projected_comes_back_as_it_was_written() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    for (number, length) in (0..=life().len()).enumerate() {
        let row = subscription(&mut tx, &key("shop", &format!("sub_{number}"))).await;
        let subscription = project_subscription(&fold(&life()[..length]));
        let written = SubscriptionRow { subscription, fact_count: 6, row_version: 1, updated_at: at(9), ..row };
        tx.save_subscriptions(std::slice::from_ref(&written)).await.unwrap();
        let read = tx.lock_subscription_ids(&[written.id]).await.unwrap().remove(0);
        assert_eq!(read.subscription, written.subscription, "{length} facts");
        assert_eq!((read.fact_count, read.row_version, read.updated_at), (6, 1, at(9)));
    }
}

#[tokio::test]
async fn a_fact_is_there_once_however_often_it_is_added_and_comes_back_equal() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let (one, two) = two(&mut tx).await;
    let doubled: Vec<SubscriptionFactRow> = [rows(one, receipt), rows(one, receipt)].concat();
    assert_eq!(tx.add_subscription_facts(&doubled, at(3)).await.unwrap(), [one]);
    let more = [rows(one, receipt), rows(two, receipt)].concat();
    assert_eq!(tx.add_subscription_facts(&more, at(4)).await.unwrap(), [two], "only what gained a fact");
    let stored = tx.subscription_facts_of(&[one]).await.unwrap();
    assert_eq!(stored.len(), life().len());
    for fact in life() {
        let stored = stored.iter().find(|stored| stored.fact == fact).unwrap();
        assert_eq!((stored.owner, stored.key, stored.receipt, stored.recorded_at), (one, fact.key(), receipt, at(3)));
    }
    assert_eq!(tx.subscription_facts_of(&[one, two]).await.unwrap().len(), 2 * life().len());
}

#[tokio::test]
async fn a_fact_that_is_taken_out_is_gone_from_its_own_subscription_alone() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let (one, two) = two(&mut tx).await;
    tx.add_subscription_facts(&[rows(one, receipt), rows(two, receipt)].concat(), at(3)).await.unwrap();
    let gone = [life()[0].key(), life()[4].key()];
    tx.drop_subscription_facts(&gone.map(|key| (one, key))).await.unwrap();
    let left = tx.subscription_facts_of(&[one]).await.unwrap();
    assert_eq!(left.len(), life().len() - 2);
    assert!(left.iter().all(|stored| !gone.contains(&stored.key)));
    assert_eq!(tx.subscription_facts_of(&[two]).await.unwrap().len(), life().len());
}
