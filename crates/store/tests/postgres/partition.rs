//! Partitions: a row finds its week by its id alone; what finds none is told, and mended when its week is made.

use afluente_store::{Class, Upkeep};
use sqlx::postgres::PgPool;
use uuid::Uuid;

use crate::conformance::content::{at, receipt};
use crate::site::{Site, site};

async fn where_it_is(beside: &PgPool, id: Uuid) -> String {
    let place = "select tableoid::regclass::text from webhook_receipts where id = $1";
    sqlx::query_scalar(place).bind(id).fetch_one(beside).await.unwrap()
}

async fn store(site: &Site, id: Uuid) {
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&[afluente_store::Receipt { id, ..receipt(None, id.as_bytes()) }], at(1)).await.unwrap();
    tx.commit().await.unwrap();
}

/// An id as it would be made at this moment, seconds since 1970.
fn made_at(seconds: u64) -> Uuid {
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, 5))
}

#[tokio::test]
async fn what_is_made_now_and_in_the_coming_weeks_has_a_partition_of_its_own() {
    let site = site().await;
    let beside = site.database.beside().await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut places = std::collections::BTreeSet::new();
    for weeks in 0..8 {
        let id = made_at(now + weeks * 7 * 86_400);
        store(&site, id).await;
        places.insert(where_it_is(&beside, id).await);
    }
    assert_eq!(places.len(), 8, "{places:?}");
    assert!(!places.contains("webhook_receipts_default"));
    assert_eq!(site.store.keep_partitions().await.unwrap(), Upkeep { made: 0, stray: 0 });
}

#[tokio::test]
async fn what_a_wrong_clock_made_is_told_and_moves_when_its_week_is_made() {
    let site = site().await;
    let beside = site.database.beside().await;
    // Monday, 2007-01-01.
    let id = made_at(1_167_609_600);
    store(&site, id).await;
    assert_eq!(site.store.keep_partitions().await.unwrap(), Upkeep { made: 0, stray: 1 });
    let made: i64 = sqlx::query_scalar("select make_partitions('2007-01-03', 0, 0)").fetch_one(&beside).await.unwrap();
    assert_eq!(made, 2);
    assert_eq!(where_it_is(&beside, id).await, "webhook_receipts_2007w01");
    assert_eq!(site.store.keep_partitions().await.unwrap().stray, 0);
    // It is the same receipt as before for whoever comes again.
    let mut tx = site.store.begin().await.unwrap();
    let again = afluente_store::Receipt { id: Uuid::now_v7(), ..receipt(None, id.as_bytes()) };
    let seen = tx.claim(&[again], at(2)).await.unwrap();
    assert_eq!(seen, [afluente_store::Claimed::Seen { receipt: id, applied: true }]);
}

#[tokio::test]
async fn a_partition_is_dropped_whole_by_its_name_and_nothing_else_is() {
    let site = site().await;
    let id = Uuid::now_v7();
    store(&site, id).await;
    let beside = site.database.beside().await;
    let name = where_it_is(&beside, id).await;
    for other in ["payments", "webhook_receipts", "webhook_receipts_default", "nothing", "x; drop table payments"] {
        let refused = site.store.drop_partition(other).await.unwrap_err();
        assert_eq!(refused.class(), Class::Refused, "{refused}");
    }
    let before = site.store.partitions().await.unwrap();
    assert!(before.iter().any(|part| part.name == name && part.table == "webhook_receipts" && part.until.is_some()));
    assert_eq!(before.iter().filter(|part| part.until.is_none()).count(), 2);
    site.store.drop_partition(&name).await.unwrap();
    assert_eq!(site.store.partitions().await.unwrap().len(), before.len() - 1);
    assert_eq!(site.store.counts().await.unwrap().receipts, 0);
    assert_eq!(site.store.keep_partitions().await.unwrap().made, 1);
}
