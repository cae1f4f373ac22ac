//! The two databases hold the same: tables, columns, named CHECKs and unique indexes.

use std::collections::{BTreeMap, BTreeSet};

use afluente_store::{LEDGER_FILE, Store};
use sqlx::SqlitePool;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::site::site;

/// A unique index: the table, whether it is partial, and its columns; an expression stands as `*`.
type Unique = (String, bool, Vec<String>);

/// What a database says about itself, in words both have.
#[derive(Debug, Default, PartialEq)]
struct Catalogue {
    /// Table, column, type in our words, whether it may be null.
    columns: BTreeMap<(String, String), (String, bool)>,
    checks: BTreeSet<String>,
    uniques: BTreeMap<String, Unique>,
    /// Unnamed keys: table and columns.
    keys: BTreeSet<(String, Vec<String>)>,
    views: BTreeSet<String>,
}

/// A type of a column, in the words `rows!` is declared in. SQLite has no type for an id or a flag: what it checks by length
/// and by value, Postgres has a type for.
fn of_sqlite(kind: &str, column: &str, table: &str) -> String {
    let ids =
        ["id", "delivery_id", "receipt_id", "payment_id", "subscription_id", "entity_id", "customer_id", "merged_into"];
    let flags = [
        "livemode",
        "capture_inferred",
        "contested",
        "returned_more_than_captured",
        "mixed_currency",
        "amount_doubted",
        "own",
        "shared",
        "deleted",
        "vacant",
    ];
    let moments = [
        "at",
        "grace_until",
        "held_until",
        "taken_until",
        "fresh_from",
        "rests_until",
        "period_start",
        "period_end",
        "trial_end",
        "not_before",
        "scheduled_for",
        "source_as_of",
    ];
    match kind.to_lowercase().as_str() {
        "blob" if ids.contains(&column) => "uuid",
        "blob" => "bytes",
        "integer" if flags.contains(&column) => "flag",
        "integer" if (column.ends_with("_at") || moments.contains(&column)) && table != "_sqlx_migrations" => "moment",
        "integer" => "int",
        "text" => "text",
        other => panic!("{table}.{column} is {other}"),
    }
    .to_owned()
}

fn of_postgres(kind: &str) -> String {
    match kind {
        "uuid" => "uuid",
        "bytea" => "bytes",
        "boolean" => "flag",
        "timestamp with time zone" => "moment",
        "bigint" => "int",
        "text" => "text",
        other => panic!("a column is {other}"),
    }
    .to_owned()
}

async fn catalogue_of_sqlite(pool: &SqlitePool) -> Catalogue {
    let mut found = Catalogue::default();
    let tables: Vec<(String, String, String)> = sqlx::query_as(
        "select type, name, sql from sqlite_schema where type in ('table', 'view') and name not like 'sqlite_%' \
         and name not like '\\_sqlx%' escape '\\'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    for (kind, table, sql) in tables {
        if kind == "view" {
            found.views.insert(table);
            continue;
        }
        let columns: Vec<(String, String, bool, bool)> =
            sqlx::query_as("select name, type, \"notnull\", pk > 0 from pragma_table_xinfo($1)")
                .bind(&table)
                .fetch_all(pool)
                .await
                .unwrap();
        for (column, kind, not_null, key) in columns {
            let kind = of_sqlite(&kind, &column, &table);
            found.columns.insert((table.clone(), column), (kind, !(not_null || key)));
        }
        // `constraint NAME check (…)`: the only way CHECKs are written here.
        for rest in sql.split("constraint ").skip(1) {
            let (name, rest) = rest.split_once(char::is_whitespace).unwrap();
            let expression = rest.trim_start().strip_prefix("check").unwrap().trim_start();
            let of_a_type = expression.starts_with("(length(id) = 16)") || expression.contains(" in (0, 1)");
            if !of_a_type {
                found.checks.insert(name.to_owned());
            }
        }
        let indexes: Vec<(String, String, bool)> =
            sqlx::query_as("select name, origin, partial from pragma_index_list($1) where \"unique\"")
                .bind(&table)
                .fetch_all(pool)
                .await
                .unwrap();
        for (index, origin, partial) in indexes {
            let columns: Vec<(Option<String>,)> =
                sqlx::query_as("select name from pragma_index_info($1) order by seqno")
                    .bind(&index)
                    .fetch_all(pool)
                    .await
                    .unwrap();
            let columns = columns.into_iter().map(|(name,)| name.unwrap_or_else(|| "*".to_owned())).collect();
            if origin == "c" {
                found.uniques.insert(index, (table.clone(), partial, columns));
            } else {
                found.keys.insert((table.clone(), columns));
            }
        }
        // An integer key is the row itself and no index.
        let integer_key: Vec<(String,)> =
            sqlx::query_as("select name from pragma_table_info($1) where pk > 0 and lower(type) = 'integer'")
                .bind(&table)
                .fetch_all(pool)
                .await
                .unwrap();
        if let [(column,)] = &integer_key[..] {
            found.keys.insert((table, vec![column.clone()]));
        }
    }
    found
}

async fn catalogue_of_postgres(pool: &PgPool) -> Catalogue {
    let mut found = Catalogue::default();
    // Of a partitioned table the whole, and none of its parts.
    let columns: Vec<(String, String, String, bool)> = sqlx::query_as(
        "select c.relname::text, a.attname::text, format_type(a.atttypid, null), not a.attnotnull \
         from pg_class c join pg_attribute a on a.attrelid = c.oid \
         where c.relnamespace = 'afluente'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition \
           and a.attnum > 0 and not a.attisdropped and c.relname not like '\\_sqlx%'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    for (table, column, kind, nullable) in columns {
        found.columns.insert((table, column), (of_postgres(&kind), nullable));
    }
    let checks: Vec<String> = sqlx::query_scalar(
        "select distinct conname::text from pg_constraint where contype = 'c' and connamespace = 'afluente'::regnamespace",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    found.checks.extend(checks);
    let uniques: Vec<(String, String, bool, bool, Vec<String>)> = sqlx::query_as(
        "select t.relname::text, i.relname::text, x.indpred is not null, x.indisprimary, \
                array(select coalesce((select attname::text from pg_attribute where attrelid = t.oid and attnum = k.key), '*') \
                      from unnest(x.indkey) with ordinality k (key, place) order by place) \
         from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid \
         where x.indisunique and t.relnamespace = 'afluente'::regnamespace and not t.relispartition \
           and t.relname not like '\\_sqlx%'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    for (table, index, partial, primary, columns) in uniques {
        if primary {
            found.keys.insert((table, columns));
        } else {
            found.uniques.insert(index, (table, partial, columns));
        }
    }
    let views: Vec<String> = sqlx::query_scalar("select viewname::text from pg_views where schemaname = 'afluente'")
        .fetch_all(pool)
        .await
        .unwrap();
    found.views.extend(views);
    found
}

#[tokio::test]
async fn both_databases_have_the_same_tables_checks_and_unique_indexes() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).await.unwrap().close().await;
    let file = SqliteConnectOptions::new().filename(folder.path().join(LEDGER_FILE));
    let there = catalogue_of_sqlite(&SqlitePool::connect_with(file).await.unwrap()).await;
    let site = site().await;
    let here = catalogue_of_postgres(&site.database.beside().await).await;
    assert!(here.checks.len() > 40 && here.uniques.len() >= 6 && here.columns.len() > 150);
    assert_eq!(here.columns, there.columns);
    assert_eq!(here.checks, there.checks);
    assert_eq!(here.uniques, there.uniques);
    assert_eq!(here.keys, there.keys);
    assert_eq!(here.views, there.views);
}

#[tokio::test]
async fn every_text_compares_by_its_bytes_whatever_language_the_database_speaks() {
    let site = site().await;
    let others: Vec<String> = sqlx::query_scalar(
        "select c.relname || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid \
         where c.relnamespace = 'afluente'::regnamespace and c.relkind in ('r', 'p') and c.relname not like '\\_sqlx%' \
           and a.attnum > 0 and a.atttypid = 'text'::regtype and a.attcollation <> '\"C\"'::regcollation",
    )
    .fetch_all(&site.database.beside().await)
    .await
    .unwrap();
    assert_eq!(others, [] as [String; 0]);
}
