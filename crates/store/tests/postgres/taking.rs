//! Several workers at one server: each want is asked by one.

use afluente_model::WantReason;

use crate::conformance::content::{account, at};
use crate::conformance::want::opened;
use crate::site::site;

#[tokio::test]
async fn two_who_take_at_once_take_different_wants_and_do_not_wait_for_each_other() {
    let site = site().await;
    opened(&site.store, &[("ch_1", WantReason::Hint), ("ch_2", WantReason::Hint)]).await;
    let shop = account("shop");
    let (mut one, mut other) = (site.store.begin().await.unwrap(), site.store.begin().await.unwrap());
    let first = one.take_wants(&shop, 1, true, (at(1), at(60))).await.unwrap();
    let second = other.take_wants(&shop, 9, true, (at(1), at(60))).await.unwrap();
    one.commit().await.unwrap();
    other.commit().await.unwrap();
    let mut taken: Vec<_> = first.iter().chain(&second).map(|want| want.reference.as_str()).collect();
    taken.sort_unstable();
    assert_eq!((first.len(), taken), (1, vec!["ch_1", "ch_2"]));
}
