//! How SQLite runs the statements of the hot path: each table by an index, whatever its size.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::backend::Store;
use crate::rows::Statement;
use crate::sqlite::LEDGER_FILE;
use crate::{dead, fact, name, payment, receipt, record, report, subscription};

/// Every statement a worker runs for a delivery or a rebuild. Accounts are mirrored at a start and a reload, and only a
/// change of their key would look for rows that refer to it: theirs are not here.
fn of_a_worker() -> Vec<&'static Statement> {
    vec![
        &receipt::CLAIM,
        &receipt::COUNT,
        &receipt::UPDATE,
        &receipt::INSERT,
        &report::RECEIPTS_READ,
        &name::INSERT,
        &name::LOCK,
        &name::WRITE,
        &payment::BLANK,
        &payment::LOCK,
        &payment::LOCK_IDS,
        &payment::UPDATE,
        &payment::DELETE,
        &fact::INSERT,
        &fact::READ,
        &fact::DROP,
        &fact::MOVE,
        &fact::UNNAME,
        &fact::SUBSCRIPTION_INSERT,
        &fact::SUBSCRIPTION_READ,
        &fact::SUBSCRIPTION_DROP,
        &subscription::BLANK,
        &subscription::LOCK,
        &subscription::LOCK_IDS,
        &subscription::UPDATE,
        &subscription::DELETE,
        &record::CLAIMS,
        &record::WANTS,
        &record::EVENTS,
        &record::OUTBOX,
        &record::UNKNOWN_WORDS,
        &record::INCONSISTENCIES,
        &dead::INSERT,
        &dead::SETTLE,
    ]
}

/// What a person asks about one thing.
fn of_a_person() -> Vec<&'static Statement> {
    vec![
        &report::NAMED,
        &report::PAYMENT_FACTS,
        &report::PAYMENT_RECEIPTS,
        &report::EVENTS,
        &report::DEAD_MESSAGE,
        &report::SUBSCRIPTION_FACTS,
    ]
}

/// The steps of a plan that read a whole table of ours, for each of these texts.
async fn scans(pool: &SqlitePool, texts: &[&str]) -> Vec<String> {
    let tables: Vec<String> =
        sqlx::query_scalar("select name from sqlite_schema where type = 'table'").fetch_all(pool).await.unwrap();
    let mut found = Vec::new();
    for text in texts {
        let explain = sqlx::AssertSqlSafe(format!("explain query plan {text}"));
        let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(pool).await.unwrap();
        for (_, _, _, step) in steps {
            let scanned = step.strip_prefix("SCAN ").map(|rest| rest.split(' ').next().unwrap_or_default().to_owned());
            // An alias of a table is told from `input` by what the statement calls it.
            let ours = |name: &String| tables.contains(name) || text.contains(&format!(" {name} on "));
            found.extend(scanned.filter(ours).map(|_| format!("{step} in {text}")));
        }
    }
    found
}

async fn pool(folder: &Path) -> SqlitePool {
    Store::open(folder).await.unwrap().close().await;
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(folder.join(LEDGER_FILE))).await.unwrap()
}

#[tokio::test]
async fn no_statement_of_the_worker_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path()).await;
    let texts: Vec<&str> = of_a_worker().into_iter().map(|statement| statement.sqlite).collect();
    assert_eq!(scans(&pool, &texts).await, [] as [String; 0]);
}

#[test]
fn every_text_of_a_worker_is_looked_at() {
    let looked_at = of_a_worker();
    let mirrored = [
        "merchants_insert.sql",
        "accounts_release.sql",
        "accounts_upsert.sql",
        "probe.sql",
        "ping.sql",
        "migrations.sql",
    ];
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("sql")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_file() && !mirrored.contains(&name) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(looked_at.iter().any(|statement| statement.sqlite.contains(&text)), "{name} is not looked at");
        }
    }
}

#[tokio::test]
async fn a_person_who_asks_for_one_thing_reads_no_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path()).await;
    let texts: Vec<&str> = of_a_person().into_iter().map(|statement| statement.sqlite).collect();
    assert_eq!(scans(&pool, &texts).await, [] as [String; 0]);
}

#[tokio::test]
async fn a_scan_is_seen_by_this_test() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path()).await;
    let scanning = [
        "select * from payments where legacy_word = 'x'",
        "select 1 from wants join payment_facts fact on fact.named = wants.reference where wants.id = x'00'",
    ];
    assert_eq!(scans(&pool, &scanning).await.len(), 2);
}
