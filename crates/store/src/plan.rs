//! How SQLite runs the statements of the hot path: each table by an index, whatever its size.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::backend::{LEDGER_FILE, Store};

/// The steps of a plan that read a whole table of ours, for each of these texts.
async fn scans(pool: &SqlitePool, texts: &[(String, String)]) -> Vec<String> {
    let tables: Vec<String> =
        sqlx::query_scalar("select name from sqlite_schema where type = 'table'").fetch_all(pool).await.unwrap();
    let mut found = Vec::new();
    for (name, text) in texts {
        let explain = sqlx::AssertSqlSafe(format!("explain query plan {text}"));
        let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(pool).await.unwrap();
        for (_, _, _, step) in steps {
            let scanned = step.strip_prefix("SCAN ").map(|rest| rest.split(' ').next().unwrap_or_default().to_owned());
            // An alias of a table is told from `input` by what the statement calls it.
            let ours = |name: &String| tables.contains(name) || text.contains(&format!(" {name} on "));
            found.extend(scanned.filter(ours).map(|_| format!("{name}: {step}")));
        }
    }
    found
}

fn texts(folder: &str, prefixed: bool) -> Vec<(String, String)> {
    let sql = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(sql.join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let shared = std::fs::read_to_string(&path).unwrap();
        let prefix = prefixed.then(|| std::fs::read_to_string(sql.join("sqlite").join(&name)).unwrap());
        texts.push((name, prefix.unwrap_or_default() + &shared));
    }
    texts
}

async fn pool(folder: &Path) -> SqlitePool {
    Store::open(folder).await.unwrap().close().await;
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(folder.join(LEDGER_FILE))).await.unwrap()
}

#[tokio::test]
async fn no_statement_of_the_worker_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path()).await;
    // Accounts are mirrored at a start and a reload, and only a change of their key would look for rows that refer to it.
    let mirrored = ["merchants_insert.sql", "accounts_release.sql", "accounts_upsert.sql"];
    let hot: Vec<_> = texts("", true).into_iter().filter(|(name, _)| !mirrored.contains(&name.as_str())).collect();
    assert!(hot.len() > 20, "found {} statements", hot.len());
    assert_eq!(scans(&pool, &hot).await, [] as [String; 0]);
}

#[tokio::test]
async fn a_person_who_asks_for_one_thing_reads_no_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path()).await;
    let one = ["payments_named", "payment_facts", "payment_receipts", "events", "dead_message", "subscription_facts"];
    let asked: Vec<_> = texts("report", false)
        .into_iter()
        .filter(|(name, _)| one.iter().any(|asked| name.strip_suffix(".sql") == Some(asked)))
        .collect();
    assert_eq!(asked.len(), one.len());
    assert_eq!(scans(&pool, &asked).await, [] as [String; 0]);
}

#[tokio::test]
async fn a_scan_is_seen_by_this_test() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path()).await;
    let scanning = [
        ("named".to_owned(), "select * from payments where legacy_word = 'x'".to_owned()),
        (
            "alias".to_owned(),
            "select 1 from wants join payment_facts fact on fact.named = wants.reference where wants.id = x'00'"
                .to_owned(),
        ),
    ];
    assert_eq!(scans(&pool, &scanning).await.len(), 2);
}
