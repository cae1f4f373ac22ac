//! Opening: whose schema it is, which version, and two who open at once.

use std::time::Duration;

use afluente_store::{Location, Schema, Server, Store, StoreError};
use afluente_testkit::{Database, Proxy};
use sqlx::postgres::PgPool;

use crate::conformance::content::{at, key, payment};
use crate::site::{location, site};

async fn one<T>(pool: &PgPool, sql: &'static str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_reader_of_a_ledger_that_is_not_there_is_told_what_to_start() {
    let database = Database::create().await;
    for opened in [Store::open_read_only(location(&database)).await, Store::open_snapshot(location(&database)).await] {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("afluente up"), "{error}");
    }
    assert_eq!(Schema::read(&location(&database)).await.unwrap().applied, [] as [i64; 0]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    let nowhere: afluente_store::Server = "postgres://ana:s3cret@127.0.0.1:1/shop".parse().unwrap();
    assert!(!format!("{nowhere:?}").contains("s3cret"));
    let error = Store::open(afluente_store::Location::Server(nowhere)).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1/shop") && !error.contains("s3cret"), "{error}");
}

#[test]
fn what_is_no_url_of_postgres_is_refused_without_repeating_it() {
    for (text, got) in
        [("mysql://a:s3cret@b/c", "mysql"), ("s3cret", "no scheme"), ("postgres://a:s3cret@b", "no database")]
    {
        let error = text.parse::<afluente_store::Server>().unwrap_err();
        assert!(error.contains("expected postgres://") && error.contains(got) && !error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn tables_of_the_same_names_in_public_are_left_alone() {
    let database = Database::create().await;
    database.run("create role legacy_owner; grant create on schema public to legacy_owner").await;
    database
        .run("set role legacy_owner; create table public.payments (id int); insert into public.payments values (7)")
        .await;
    let store = Store::open(location(&database)).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.save_accounts(&crate::conformance::content::account_rows(), at(0)).await.unwrap();
    payment(&mut tx, &key("shop", "", "pi_1")).await;
    tx.commit().await.unwrap();
    let beside = database.beside().await;
    assert_eq!(one::<i32>(&beside, "select id from public.payments").await, 7);
    assert_eq!(one::<i64>(&beside, "select count(*) from afluente.payments").await, 1);
    database
        .run("drop table public.payments; revoke create on schema public from legacy_owner; drop role legacy_owner")
        .await;
}

#[tokio::test]
async fn the_role_of_another_application_is_refused_and_left_as_it_is() {
    let database = Database::create().await;
    database.run("create table public.orders (id int)").await;
    let error = Store::open(location(&database)).await.unwrap_err();
    assert!(matches!(error, StoreError::Migration(_)) && error.to_string().contains("create role"), "{error}");
    let beside = database.beside().await;
    assert_eq!(
        one::<i64>(
            &beside,
            "select count(*) from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase \
                                    where d.datname = current_database()"
        )
        .await,
        0
    );
    assert_eq!(one::<Option<String>>(&beside, "select to_regnamespace('afluente')::text").await, None);
}

#[tokio::test]
async fn a_session_that_would_find_other_tables_is_refused() {
    let site = site().await;
    site.database.run(format!("alter role current_user in database {} reset search_path", site.database.name())).await;
    let reader = Store::open_read_only(location(&site.database)).await.unwrap_err();
    assert!(reader.to_string().contains("search_path"), "{reader}");
    // Whoever may migrate mends it.
    Store::open(location(&site.database)).await.unwrap();
    Store::open_read_only(location(&site.database)).await.unwrap();
}

#[tokio::test]
async fn two_who_bring_it_up_at_once_end_with_one_schema() {
    let database = Database::create().await;
    let at = location(&database);
    let opened = futures_util::future::join_all((0..4).map(|_| Store::open(&at))).await;
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    assert!(Schema::read(&at).await.unwrap().is_current());
}

#[tokio::test]
async fn the_schema_can_be_taken_back_and_put_there_again() {
    let site = site().await;
    site.store.close().await;
    let at = location(&site.database);
    let before = Schema::down(&at, 100).await.unwrap();
    assert!(before.is_current());
    let beside = site.database.beside().await;
    let left: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'afluente'::regnamespace and relname not like '\\_sqlx%' \
         union all select proname::text from pg_proc where pronamespace = 'afluente'::regnamespace",
    )
    .fetch_all(&beside)
    .await
    .unwrap();
    assert!(left.is_empty(), "left behind: {left:?}");
    Store::open(&at).await.unwrap().ping().await.unwrap();
}

/// A connection that goes back is asked whether it lives, and the network goes silent right then.
#[tokio::test]
async fn closing_ends_although_the_network_went_silent_while_a_connection_went_back() {
    let database = Database::create().await;
    let url = database.url();
    let port: u16 = url.split(':').next_back().unwrap().split('/').next().unwrap().parse().unwrap();
    let proxy = Proxy::to(port);
    let through: Server = url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port())).parse().unwrap();
    let store = Store::open(Location::Server(through)).await.unwrap();
    let tx = store.begin().await.unwrap();
    tx.commit().await.unwrap();
    // Nothing ran since on this one thread: the question is still to be asked, and is now.
    proxy.go_silent();
    tokio::task::yield_now().await;
    tokio::time::timeout(Duration::from_secs(60), store.close()).await.expect("it closes");
}
