//! Units of work that fail or are cut off: whoever works next finds the ledger as if they had never begun, on a connection
//! that works.

use std::time::Duration;

use afluente_store::{Class, Store, StoreError, StoreOptions};
use sqlx::postgres::PgPool;

use crate::conformance::content::{at, key, payment, receipt};
use crate::site::{Site, location, site, site_with};

/// Timeouts that are over soon.
fn hasty() -> StoreOptions {
    StoreOptions {
        connections: 2,
        lock_timeout: Duration::from_millis(100),
        statement_timeout: Duration::from_millis(400),
        ..StoreOptions::default()
    }
}

async fn store_one(store: &Store, body: &[u8]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.claim(&[receipt(None, body)], at(1)).await?;
    tx.commit().await
}

async fn receipts(site: &Site) -> i64 {
    site.store.counts().await.unwrap().receipts
}

/// Sessions of ours that are inside a transaction and do nothing.
async fn idle_in_transaction(beside: &PgPool) -> i64 {
    sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
    )
    .fetch_one(beside)
    .await
    .unwrap()
}

/// Waits until no session is left in a transaction.
async fn nobody_is_left_in_a_transaction(beside: &PgPool) {
    for _ in 0..100 {
        if idle_in_transaction(beside).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a session stays in a transaction");
}

/// Ends every session of ours and waits until they are gone: the server only signals them.
async fn end_sessions(beside: &PgPool) {
    let ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                 where datname = current_database() and pid <> pg_backend_pid() and application_name = 'afluente'";
    for _ in 0..100 {
        if sqlx::query_scalar::<_, i64>(ended).fetch_one(beside).await.unwrap() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("sessions outlive their end");
}

#[tokio::test]
async fn a_dropped_unit_of_work_leaves_no_lock_no_row_and_no_session() {
    let site = site().await;
    let beside = site.database.beside().await;
    for _ in 0..10 {
        let mut tx = site.store.begin().await.unwrap();
        payment(&mut tx, &key("shop", "", "pi_1")).await;
        drop(tx);
    }
    store_one(&site.store, b"another").await.unwrap();
    assert_eq!(receipts(&site).await, 1);
    nobody_is_left_in_a_transaction(&beside).await;
}

#[tokio::test]
async fn a_begin_cut_off_at_any_moment_leaves_no_transaction_behind() {
    let site = site_with(hasty()).await;
    let beside = site.database.beside().await;
    for micros in (0..2_000).step_by(40) {
        let _ = tokio::time::timeout(Duration::from_micros(micros), site.store.begin()).await;
    }
    store_one(&site.store, b"after all").await.unwrap();
    nobody_is_left_in_a_transaction(&beside).await;
}

#[tokio::test]
async fn nothing_more_is_written_in_a_transaction_a_statement_of_which_failed() {
    let site = site_with(hasty()).await;
    let beside = site.database.beside().await;
    let mut lock = beside.begin().await.unwrap();
    sqlx::query("lock table webhook_dedupe").execute(&mut *lock).await.unwrap();
    let mut tx = site.store.begin().await.unwrap();
    let error = tx.claim(&[receipt(None, b"held")], at(1)).await.unwrap_err();
    assert_eq!(error.class(), Class::Contended, "{error}");
    lock.rollback().await.unwrap();
    let after = tx.claim(&[receipt(None, b"small")], at(1)).await.unwrap_err();
    assert!(matches!(after, StoreError::Over), "{after}");
    // The server would answer this with ROLLBACK and no error.
    assert!(matches!(tx.commit().await.unwrap_err(), StoreError::Over));
    assert_eq!(receipts(&site).await, 0);
    store_one(&site.store, b"again").await.unwrap();
}

#[tokio::test]
async fn a_part_that_waits_too_long_for_a_lock_is_taken_back_alone() {
    let site = site_with(hasty()).await;
    let beside = site.database.beside().await;
    let mut lock = beside.begin().await.unwrap();
    sqlx::query("lock table payment_names").execute(&mut *lock).await.unwrap();
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&[receipt(None, b"kept")], at(1)).await.unwrap();
    tx.begin_part().await.unwrap();
    let failed = tx.lock_names(&[key("shop", "", "pi_1")], at(1)).await.map(drop);
    assert_eq!(tx.end_part(failed).await.unwrap().unwrap_err().class(), Class::Contended);
    tx.commit().await.unwrap();
    assert_eq!(receipts(&site).await, 1);
}

#[tokio::test]
async fn a_part_whose_session_the_server_ended_ends_the_unit_of_work() {
    let site = site_with(hasty()).await;
    let beside = site.database.beside().await;
    let mut tx = site.store.begin().await.unwrap();
    tx.claim(&[receipt(None, b"lost")], at(1)).await.unwrap();
    tx.begin_part().await.unwrap();
    end_sessions(&beside).await;
    let failed = tx.claim(&[receipt(None, b"lost too")], at(1)).await.map(drop);
    assert_eq!(tx.end_part(failed).await.unwrap_err().class(), Class::Away);
    assert!(matches!(tx.commit().await.unwrap_err(), StoreError::Over));
    // Another session of the pool may have been ended as well, and tells so when it is used.
    let stored: i64 = sqlx::query_scalar("select count(*) from webhook_receipts").fetch_one(&beside).await.unwrap();
    assert_eq!(stored, 0);
}

#[tokio::test]
async fn of_two_in_a_deadlock_one_goes_on_and_the_other_is_told_to_go_again() {
    // Longer than the second after which the server looks for deadlocks.
    let patient = StoreOptions { lock_timeout: Duration::from_secs(8), ..StoreOptions::default() };
    let site = site_with(patient).await;
    let (one, two) = (key("shop", "", "pi_1"), key("shop", "", "pi_2"));
    let mut tx = site.store.begin().await.unwrap();
    tx.lock_names(&[one.clone(), two.clone()], at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let (mut first, mut second) = (site.store.begin().await.unwrap(), site.store.begin().await.unwrap());
    first.lock_names(std::slice::from_ref(&one), at(2)).await.unwrap();
    second.lock_names(std::slice::from_ref(&two), at(2)).await.unwrap();
    let ((first, met), (second, other)) = tokio::join!(
        async {
            let met = first.lock_names(&[two], at(3)).await.map(drop);
            (first, met)
        },
        async {
            let met = second.lock_names(&[one], at(3)).await.map(drop);
            // Whoever lost lets the other go on.
            (
                if met.is_err() {
                    drop(second);
                    None
                } else {
                    Some(second)
                },
                met,
            )
        }
    );
    let failed: Vec<&StoreError> = [&met, &other].into_iter().filter_map(|met| met.as_ref().err()).collect();
    let [error] = failed[..] else { panic!("expected one victim, got {met:?} and {other:?}") };
    assert_eq!(error.class(), Class::Contended, "{error}");
    drop((first, second));
    store_one(&site.store, b"after all").await.unwrap();
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_and_everything_waits() {
    let site = site_with(hasty()).await;
    // Every receipt takes a second from now on.
    site.database
        .run(
            "create function afluente.slow() returns trigger language plpgsql as \
             $$ begin perform pg_sleep(1); return new; end $$; \
             create trigger slow before insert on afluente.webhook_dedupe for each row execute function afluente.slow()",
        )
        .await;
    let error = store_one(&site.store, b"slow").await.unwrap_err();
    assert_eq!(error.class(), Class::Away, "{error}");
    site.database.run("drop trigger slow on afluente.webhook_dedupe").await;
    store_one(&site.store, b"fast").await.unwrap();
    assert_eq!(receipts(&site).await, 1);
}

/// Stores one after every session was ended. A connection that worked a moment ago is not asked whether it lives: each of the
/// two that may lie in the pool fails once, and a new one takes its place.
async fn store_one_at_last(store: &Store, body: &[u8]) {
    for _ in 0..2 {
        let Err(error) = store_one(store, body).await else { return };
        assert_eq!(error.class(), Class::Away, "{error}");
    }
    store_one(store, body).await.unwrap();
}

#[tokio::test]
async fn a_session_the_server_ended_fails_once_and_is_not_handed_out_again() {
    let site = site_with(hasty()).await;
    let beside = site.database.beside().await;
    let mut tx = site.store.begin().await.unwrap();
    end_sessions(&beside).await;
    let error = tx.claim(&[receipt(None, b"cut off")], at(1)).await.unwrap_err();
    assert_eq!(error.class(), Class::Away, "{error}");
    drop(tx);
    store_one_at_last(&site.store, b"one").await;
    end_sessions(&beside).await;
    store_one_at_last(&site.store, b"two").await;
    assert_eq!(receipts(&site).await, 2);
}

#[tokio::test]
async fn a_server_that_became_read_only_is_away_and_a_new_connection_finds_it_mended() {
    let site = site().await;
    let name = site.database.name();
    site.database.on_the_server(format!("alter database {name} set default_transaction_read_only = on")).await;
    let demoted = Store::open(location(&site.database)).await.unwrap();
    let error = store_one(&demoted, b"refused").await.unwrap_err();
    assert_eq!(error.class(), Class::Away, "{error}");
    assert_eq!(demoted.probe(10).await.unwrap_err().class(), Class::Away);
    site.database.on_the_server(format!("alter database {name} reset default_transaction_read_only")).await;
    store_one(&demoted, b"taken").await.unwrap();
    assert_eq!(receipts(&site).await, 1);
}

#[tokio::test]
async fn a_role_without_rights_is_away_until_it_has_them() {
    let site = site().await;
    let name = site.database.name();
    site.database
        .run(format!(
            "create role {name}_poor login; alter role {name}_poor in database {name} set search_path = afluente; \
             grant usage on schema afluente to {name}_poor; grant select on all tables in schema afluente to {name}_poor"
        ))
        .await;
    let url = site.database.url().replace("//tester@", &format!("//{name}_poor@"));
    let poor = Store::open(afluente_store::Location::Server(url.parse().unwrap())).await.unwrap();
    let error = store_one(&poor, b"refused").await.unwrap_err();
    assert_eq!(error.class(), Class::Away, "{error}");
    assert!(error.to_string().contains("permission denied"), "{error}");
    site.database.run(format!("grant insert, update, delete on all tables in schema afluente to {name}_poor")).await;
    store_one(&poor, b"taken").await.unwrap();
    poor.close().await;
    site.database.run(format!("drop owned by {name}_poor; drop role {name}_poor")).await;
}

#[tokio::test]
async fn a_row_the_index_has_no_room_for_is_refused_and_not_waited_for() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    // Does not compress: hex of a hash, again and again.
    let long: String =
        (0_u32..400).map(|n| format!("{:x}", uuid::Uuid::from_u128(u128::from(n).pow(9) * 7919).simple())).collect();
    let error = tx.lock_names(&[key("shop", "", &long)], at(1)).await.unwrap_err();
    assert_eq!(error.class(), Class::Refused, "{error}");
    assert!(!error.to_string().contains(&long[..20]), "{error}");
}

#[tokio::test]
async fn a_probe_commits_and_leaves_nothing_behind() {
    let site = site().await;
    site.store.probe(100_000).await.unwrap();
    let beside = site.database.beside().await;
    let left: i32 = sqlx::query_scalar("select length(filler) from ledger_probe").fetch_one(&beside).await.unwrap();
    assert_eq!(left, 0);
}
