//! What is there: tables, columns, enums, indexes, triggers.

use std::collections::BTreeMap;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, FromRow};

use crate::error::StoreError;
use crate::health::are_sessions_shared;
use crate::postgres::{READING, Server, in_time};
use crate::rows::{Statement, text};

static COLUMNS: Statement = text!("legacy/columns");
static LABELS: Statement = text!("legacy/labels");
static INDEXES: Statement = text!("legacy/indexes");
static TRIGGERS: Statement = text!("legacy/triggers");

/// One schema of a database.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Its name.
    pub schema: String,
    /// Its tables by name.
    pub tables: BTreeMap<String, Table>,
    /// Labels of every enum there is, in their order, by schema and name.
    pub enums: BTreeMap<(String, String), Vec<String>>,
    /// Whether a session may find what another left behind: there is a pooler in between.
    pub shares_sessions: bool,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The role it belongs to.
    pub owner: String,
    /// Its columns by name.
    pub columns: BTreeMap<String, Column>,
    /// Its indexes.
    pub indexes: Vec<Index>,
    /// Triggers that are on.
    pub triggers: Vec<Trigger>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its type as it is written in a definition: `character varying(30)`.
    pub type_text: String,
    /// The schema and name of its type.
    pub type_name: (String, String),
    /// Whether that is an enum.
    pub is_enum: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Whether it keeps rows apart.
    pub is_unique: bool,
    /// Its columns in order; expressions are left out.
    pub columns: Vec<String>,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Whether an update sets it off.
    pub on_update: bool,
    /// The text of the routine it calls.
    pub body: String,
}

impl Trigger {
    /// Whether an update of ours would change this column too, as far as its text tells.
    #[must_use]
    pub fn stamps(&self, column: &str) -> bool {
        self.on_update && self.body.contains(column)
    }
}

#[derive(FromRow)]
struct ColumnRecord {
    table_name: String,
    column_name: String,
    type_text: String,
    is_enum: bool,
    type_name: String,
    type_schema: String,
    owner: String,
}

#[derive(FromRow)]
struct LabelRecord {
    type_schema: String,
    type_name: String,
    label: String,
}

#[derive(FromRow)]
struct IndexRecord {
    table_name: String,
    is_unique: bool,
    column_names: Vec<String>,
}

#[derive(FromRow)]
struct TriggerRecord {
    table_name: String,
    trigger_name: String,
    on_update: bool,
    body: String,
}

impl Catalogue {
    /// Reads a schema of the server's database; no table means that nothing is there.
    pub async fn read(server: &Server, schema: &str) -> Result<Catalogue, StoreError> {
        let mut connection = server.connect().await?;
        let mut found = in_time(READING, Catalogue::of(&mut connection, schema)).await?;
        found.shares_sessions = are_sessions_shared(server, &mut connection).await?;
        connection.close().await?;
        Ok(found)
    }

    async fn of(connection: &mut PgConnection, schema: &str) -> Result<Catalogue, sqlx::Error> {
        let mut found = Catalogue { schema: schema.to_owned(), ..Catalogue::default() };
        let columns: Vec<ColumnRecord> =
            sqlx::query_as(COLUMNS.postgres).bind(schema).fetch_all(&mut *connection).await?;
        for row in columns {
            let table = found.tables.entry(row.table_name).or_default();
            table.owner = row.owner;
            let column =
                Column { type_text: row.type_text, type_name: (row.type_schema, row.type_name), is_enum: row.is_enum };
            table.columns.insert(row.column_name, column);
        }
        let labels: Vec<LabelRecord> = sqlx::query_as(LABELS.postgres).fetch_all(&mut *connection).await?;
        for row in labels {
            found.enums.entry((row.type_schema, row.type_name)).or_default().push(row.label);
        }
        let indexes: Vec<IndexRecord> =
            sqlx::query_as(INDEXES.postgres).bind(schema).fetch_all(&mut *connection).await?;
        for row in indexes {
            let index = Index { is_unique: row.is_unique, columns: row.column_names };
            found.tables.entry(row.table_name).or_default().indexes.push(index);
        }
        let triggers: Vec<TriggerRecord> =
            sqlx::query_as(TRIGGERS.postgres).bind(schema).fetch_all(&mut *connection).await?;
        for row in triggers {
            let trigger = Trigger { name: row.trigger_name, on_update: row.on_update, body: row.body };
            found.tables.entry(row.table_name).or_default().triggers.push(trigger);
        }
        Ok(found)
    }

    /// A column of a table, if both are there.
    #[must_use]
    pub fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.tables.get(table)?.columns.get(column)
    }

    /// The labels of a column's enum; none if it is no enum.
    #[must_use]
    pub fn labels(&self, column: &Column) -> Option<&[String]> {
        self.enums.get(&column.type_name).filter(|_| column.is_enum).map(Vec::as_slice)
    }
}
