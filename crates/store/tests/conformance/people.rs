//! Who recomputes a person does so alone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use afluente_store::{Switch, Switches};

use crate::site::site;

#[tokio::test]
async fn whoever_recomputes_the_same_person_waits_until_the_other_is_done() {
    let site = site().await;
    let person = || [["shop", "email", "ana@example.com"]].into_iter();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut first = site.store.begin().await.unwrap();
    first.lock_people(person()).await.unwrap();
    let second = tokio::spawn({
        let (store, order) = (site.store.clone(), Arc::clone(&order));
        async move {
            let mut second = store.begin().await.unwrap();
            second.lock_people(person()).await.unwrap();
            order.lock().unwrap().push("second");
            second.commit().await.unwrap();
        }
    });
    // Time enough for who does not wait.
    tokio::time::sleep(Duration::from_millis(200)).await;
    order.lock().unwrap().push("first");
    first.commit().await.unwrap();
    second.await.unwrap();
    assert_eq!(*order.lock().unwrap(), ["first", "second"]);
}

#[tokio::test]
async fn a_unit_of_work_knows_for_whom_people_are_written() {
    let site = site().await;
    let store = site.store.clone().with_customers(Switches::all(Switch::Shadow));
    let tx = store.begin().await.unwrap();
    assert_eq!(*tx.customers_of(), Switches::all(Switch::Shadow));
    tx.rollback().await.unwrap();
}
