//! How both databases run the statements of the hot path: each table by an index, whatever its size.

use std::path::Path;

use afluente_testkit::Database;
use sqlx::SqlitePool;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnectOptions;

use crate::backend::{Location, Store, StoreOptions};
use crate::legacy::write;
use crate::people::{customer, decision, identity, link, method, provider, relation, session, value};
use crate::postgres::{self, Server};
use crate::sqlite::LEDGER_FILE;
use crate::want::asking;
use crate::{claim, dead, fact, folded, gap, name, payment, receipt, record, report, subscription, want};

/// A statement for SQLite and for Postgres.
type Text = (&'static str, &'static str);

macro_rules! texts {
    ($($statement:path),+ $(,)?) => { vec![$(($statement.sqlite, $statement.postgres)),+] };
}

/// Every statement a worker runs for a delivery or a rebuild. Accounts are mirrored at a start and a reload, and only a
/// change of their key would look for rows that refer to it: theirs are not here.
fn of_a_worker() -> Vec<Text> {
    texts![
        receipt::CLAIM,
        receipt::COUNT,
        receipt::UPDATE,
        receipt::INSERT,
        report::RECEIPTS_READ,
        name::INSERT,
        name::LOCK,
        name::WRITE,
        payment::BLANK,
        payment::LOCK,
        payment::LOCK_IDS,
        folded::UPDATE,
        payment::DELETE,
        fact::INSERT,
        fact::READ,
        fact::DROP,
        fact::MOVE,
        fact::UNNAME,
        fact::SUBSCRIPTION_INSERT,
        fact::SUBSCRIPTION_READ,
        fact::SUBSCRIPTION_DROP,
        subscription::BLANK,
        subscription::LOCK,
        subscription::LOCK_IDS,
        subscription::UPDATE,
        subscription::DELETE,
        claim::CLAIMS,
        method::JOIN,
        session::JOIN,
        relation::JOIN,
        decision::JOIN,
        decision::BY_KEY,
        decision::ON_CUSTOMERS,
        decision::ON_EMAILS,
        decision::TO_EMAILS,
        identity::JOIN,
        identity::BY_KEY,
        identity::SETTLED,
        identity::BY_CUSTOMER,
        identity::BY_DOCUMENT,
        identity::BY_EMAIL,
        value::EMAIL_COUNTS,
        value::DOCUMENT_COUNTS,
        value::EMAIL_DOCUMENTS,
        value::READ,
        value::WRITE,
        customer::INSERT,
        customer::FIND,
        customer::REFRESH,
        customer::ASSIGN,
        provider::READ,
        provider::BY_EMAIL,
        provider::WRITE,
        provider::LINK,
        provider::ACCOUNTS,
        provider::UNNAMED_INSERT,
        provider::UNNAMED_DROP,
        link::LINK_PAYMENTS,
        link::LINK_SUBSCRIPTIONS,
        write::FAMILY,
        gap::OPEN,
        gap::LEFT,
        gap::DUE,
        gap::CLOSE,
        gap::SETTLE,
        gap::IDENTITIES,
        want::WANTS,
        want::DUE,
        want::KNOWN,
        asking::DUE,
        asking::TAKE,
        asking::SETTLE,
        asking::COUNT,
        asking::RETRY,
        asking::DROP,
        record::EVENTS,
        record::OUTBOX,
        record::UNKNOWN_WORDS,
        record::INCONSISTENCIES,
        record::RESOLVE,
        record::SETTLE,
        dead::INSERT,
        dead::SETTLE
    ]
}

/// What a person asks about one thing, and a look-up time and again.
fn of_a_person() -> Vec<Text> {
    texts![
        report::NAMED,
        report::PAYMENT_FACTS,
        report::PAYMENT_RECEIPTS,
        report::EVENTS,
        report::DEAD_MESSAGE,
        report::SUBSCRIPTION_FACTS,
        report::SUBSCRIPTIONS_NAMED,
        report::CLAIMS_OF,
        report::CUSTOMERS_FOUND,
        report::LINKS,
        report::METHODS,
        report::CUSTOMER_PAYMENTS,
        report::CUSTOMER_SUBSCRIPTIONS,
        report::CUSTOMER_CLAIMS,
        asking::IS_DUE,
        asking::CALLS
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
            // Merchants are a handful, and their names all there is of them.
            let ours = |name: &String| {
                (name != "merchants" && tables.contains(name)) || text.contains(&format!(" {name} on "))
            };
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
    let texts: Vec<&str> = of_a_worker().into_iter().map(|(sqlite, _)| sqlite).collect();
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
            assert!(looked_at.iter().any(|(sqlite, _)| sqlite.contains(&text)), "{name} is not looked at");
        }
    }
}

#[tokio::test]
async fn a_person_who_asks_for_one_thing_reads_no_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path()).await;
    let texts: Vec<&str> = of_a_person().into_iter().map(|(sqlite, _)| sqlite).collect();
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

/// Columns that tell rows of one account apart.
const NAMES: [&str; 6] =
    ["name", "provider_payment_id", "provider_subscription_id", "provider_customer_id", "subject_id", "value"];

/// The steps of a plan of Postgres that read a whole table, with the settings a worker's transaction has.
async fn scans_there(connection: &mut PgConnection, text: &str) -> Vec<String> {
    sqlx::raw_sql("set plan_cache_mode = force_generic_plan").execute(&mut *connection).await.unwrap();
    postgres::begin(connection, &StoreOptions::default()).await.unwrap();
    let parameters = (1..=40).take_while(|place| text.contains(&format!("${place}::"))).map(|_| "null");
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    let prepare = sqlx::AssertSqlSafe(format!("prepare looked_at as {text}"));
    sqlx::raw_sql(prepare).execute(&mut *connection).await.unwrap();
    let explain = sqlx::AssertSqlSafe(format!("explain (costs off) execute looked_at ({parameters})"));
    let steps: Vec<String> = sqlx::query_scalar(explain).fetch_all(&mut *connection).await.unwrap();
    sqlx::raw_sql("rollback; deallocate looked_at").execute(connection).await.unwrap();
    // What is looked up by a name has the whole name in its index, or it reads everything an account has.
    let halfway =
        |step: &str| step.contains("Filter:") && NAMES.iter().any(|name| step.contains(&format!(" = {name})")));
    let suspect = |step: &String| step.contains("Seq Scan on") || halfway(step);
    steps.into_iter().filter(suspect).map(|step| format!("{step} in {text}")).collect()
}

#[tokio::test]
async fn no_statement_of_the_worker_reads_a_whole_table_of_a_server() {
    let database = Database::create().await;
    let server: Server = database.url().parse().unwrap();
    Store::open(Location::Server(server.clone())).await.unwrap().close().await;
    let mut connection = server.connect().await.unwrap();
    for (_, text) in of_a_worker() {
        assert_eq!(scans_there(&mut connection, text).await, [] as [String; 0]);
    }
    let scanning = "select 1 from payments where legacy_word = $1::text";
    assert_eq!(scans_there(&mut connection, scanning).await.len(), 1, "a scan is seen by this test");
}
