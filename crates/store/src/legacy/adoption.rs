//! Making what a dual write needs, and taking it away: a role with the rights to named columns, two functions, a table of ours.
//!
//! Names come from the catalogue, are held against a pattern, quoted and used once, here. What the functions say afterwards is
//! fixed text; an application that changes its tables makes the next call fail, and nothing of its own.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::catalogue::Catalogue;
use super::target::{PAYMENTS, Target, Targets};
use crate::error::StoreError;
use crate::postgres::{READING, Server, in_time};

const ROWS_TABLE: &str = include_str!("../../sql/legacy/rows_table.sql");
const FIND: &str = include_str!("../../sql/legacy/find_function.sql");
const WRITE: &str = include_str!("../../sql/legacy/write_function.sql");

/// Columns that are read, by table; what is not there is not asked for. No credentials, no fingerprints of cards.
const READ: [(&str, &[&str]); 7] = [
    (
        PAYMENTS,
        &[
            "id",
            "provider",
            "provider_order_id",
            "provider_charge_id",
            "clinic_id",
            "merchant_id",
            "product_id",
            "amount_cents",
            "currency",
            "payment_method_type",
            "status",
            "status_v2",
            "provider_v2",
            "raw_payload",
            "created_at",
            "updated_at",
            "paid_at",
            "captured_at",
            "refunded_at",
            "refund_status",
            "refunded_cents",
            "customer_id",
            "customer_provider_id",
            "customer_payment_method_id",
            "customer_subscription_id",
            "client_email",
        ],
    ),
    (
        "checkout_sessions",
        &[
            "id",
            "clinic_id",
            "product_id",
            "order_id",
            "pix_order_id",
            "status",
            "email",
            "phone",
            "document",
            "payment_transaction_id",
            "started_at",
            "created_at",
            "updated_at",
        ],
    ),
    (
        "customers",
        &["id", "merchant_id", "merchantId", "name", "email", "phone", "document", "created_at", "updated_at"],
    ),
    ("customer_providers", &["id", "customer_id", "provider", "account_id", "provider_customer_id"]),
    (
        "customer_subscriptions",
        &[
            "id",
            "customer_id",
            "merchant_id",
            "provider",
            "account_id",
            "provider_subscription_id",
            "status",
            "is_native",
            "current_period_end",
            "canceled_at",
        ],
    ),
    ("clinics", &["id"]),
    ("merchants", &["id", "clinic_id", "external_account_id"]),
];

/// What `adopt` would make, or made.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// The role that holds the rights, of which the ledger's own is a member.
    pub role: String,
    /// What gives the rights, in their order.
    pub rights: Vec<String>,
    /// What makes table and functions, in their order.
    pub made: Vec<String>,
}

/// Why a name is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a name of letters, digits and underscores, at most 63, got {0:?}")]
pub struct OddName(pub String);

/// Quotes a name that is one.
fn quoted(name: &str) -> Result<String, OddName> {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if starts && plain && name.len() <= 63 { Ok(format!("\"{name}\"")) } else { Err(OddName(name.to_owned())) }
}

impl Adoption {
    /// By what is there. `writes_status` gives the right to the application's own status column as well.
    pub fn of(
        catalogue: &Catalogue,
        targets: &Targets,
        database: &str,
        ledger_role: &str,
        writes_status: bool,
    ) -> Result<Adoption, OddName> {
        let role = format!("afluente_legacy_{database}");
        let (role, schema) = (quoted(&role)?, quoted(&catalogue.schema)?);
        let mut rights =
            vec![format!("create role {role} nologin"), format!("grant usage on schema {schema} to {role}")];
        for (table, wanted) in READ {
            let there = wanted.iter().filter(|column| catalogue.column(table, column).is_some());
            let columns = there.map(|column| quoted(column)).collect::<Result<Vec<_>, _>>()?;
            if !columns.is_empty() {
                let (columns, table) = (columns.join(", "), quoted(table)?);
                rights.push(format!("grant select ({columns}) on {schema}.{table} to {role}"));
            }
        }
        let columns = written(targets, writes_status);
        if !columns.is_empty() {
            let columns = columns.iter().map(|(name, _)| quoted(name)).collect::<Result<Vec<_>, _>>()?.join(", ");
            rights.push(format!("grant update ({columns}) on {schema}.{PAYMENTS} to {role}"));
        }
        rights.push(format!("grant {role} to {}", quoted(ledger_role)?));
        let table = format!("{schema}.{PAYMENTS}");
        let mut made = vec![ROWS_TABLE.to_owned(), find_function(catalogue, targets, &table)];
        if !columns_written(targets, writes_status).is_empty() {
            made.push(write_function(catalogue, targets, &table, writes_status));
        }
        Ok(Adoption { role, rights, made })
    }

    /// Makes all of it: the rights as somebody who may give them, the rest as the ledger's own role. Again changes nothing but
    /// what is different since.
    pub async fn apply(&self, admin: &Server, ledger: &Server) -> Result<(), StoreError> {
        undo_made(ledger).await?;
        undo_rights(admin, &self.role).await?;
        all(admin, &self.rights).await?;
        all(ledger, &self.made).await
    }

    /// Takes all of it away.
    pub async fn undo(&self, admin: &Server, ledger: &Server) -> Result<(), StoreError> {
        undo_made(ledger).await?;
        undo_rights(admin, &self.role).await
    }
}

async fn undo_made(ledger: &Server) -> Result<(), StoreError> {
    all(
        ledger,
        &[
            "drop function if exists afluente.legacy_find(jsonb)",
            "drop function if exists afluente.legacy_write(jsonb)",
            "drop table if exists afluente.legacy_rows",
        ],
    )
    .await
}

/// A role with rights to something is not dropped: they go first.
async fn undo_rights(admin: &Server, role: &str) -> Result<(), StoreError> {
    let bare = role.trim_matches('"');
    let text = format!(
        "do $$ begin if exists (select from pg_roles where rolname = '{bare}') then drop owned by {role}; drop role {role}; end if; end $$"
    );
    all(admin, &[text]).await
}

/// Runs all of it or nothing.
async fn all(server: &Server, texts: &[impl AsRef<str>]) -> Result<(), StoreError> {
    let mut connection = server.connect().await?;
    let run = async {
        let mut tx = connection.begin().await?;
        for text in texts {
            sqlx::raw_sql(AssertSqlSafe(text.as_ref().to_owned())).execute(&mut *tx).await?;
        }
        tx.commit().await
    };
    in_time(READING, run).await?;
    connection.close().await?;
    Ok(())
}

/// The columns that are written: where an update of theirs changes nothing else.
fn written(targets: &Targets, writes_status: bool) -> Vec<(&'static str, &Target)> {
    let each = [("provider_v2", &targets.provider), ("status_v2", &targets.status), ("status", &targets.word)];
    let takes = |(name, target): &(&str, &Target)| {
        matches!(target, Target::Enum { .. } | Target::Text) && (writes_status || *name != "status")
    };
    each.into_iter().filter(takes).collect()
}

fn columns_written(targets: &Targets, writes_status: bool) -> Vec<&'static str> {
    written(targets, writes_status).into_iter().map(|(name, _)| name).collect()
}

/// A row's id as a text.
fn id(catalogue: &Catalogue) -> &'static str {
    if is_text(catalogue, "id") { "theirs.id" } else { "theirs.id::text" }
}

fn is_text(catalogue: &Catalogue, column: &str) -> bool {
    catalogue.column(PAYMENTS, column).is_some_and(|column| matches!(column.type_name.1.as_str(), "text" | "varchar"))
}

/// What stands in a column, as a text; nothing where it is not there.
fn now(catalogue: &Catalogue, column: &str) -> String {
    if catalogue.column(PAYMENTS, column).is_some() {
        format!("theirs.{column}::text")
    } else {
        "null::text".to_owned()
    }
}

fn find_function(catalogue: &Catalogue, targets: &Targets, table: &str) -> String {
    let columns = format!(
        "{}::text as row_id, theirs.provider_order_id::text as order_id, {} as charge_id, {} as provider_now, {} as status_now, \
         {} as word_now",
        id(catalogue),
        now(catalogue, "provider_charge_id"),
        now(catalogue, "provider_v2"),
        now(catalogue, "status_v2"),
        now(catalogue, "status"),
    );
    let branch = |on: &str| {
        format!(
            "\n        union all\n        select one.place, {columns} from one\n        join {table} theirs on {on} = one.id and \
             theirs.provider = any (one.spellings)"
        )
    };
    let mut more = String::new();
    if targets.has_charges {
        more.push_str(&branch("theirs.provider_charge_id"));
    }
    // A gateway's id can be a row's only where rows are called by texts.
    if is_text(catalogue, "id") {
        more.push_str(&branch("theirs.id"));
    }
    FIND.replace("{columns}", &columns).replace("{table}", table).replace("{more}", &more)
}

fn write_function(catalogue: &Catalogue, targets: &Targets, table: &str, writes_status: bool) -> String {
    let columns = written(targets, writes_status);
    let value = |name: &str, target: &Target| {
        let wanted = match name {
            "provider_v2" => "one.provider",
            "status_v2" => "one.status",
            _ => "one.word",
        };
        match target {
            Target::Enum { cast, .. } => format!("coalesce({wanted}::{cast}, theirs.{name})"),
            Target::Text | Target::Aside { .. } | Target::Refused { .. } => {
                format!("coalesce({wanted}, theirs.{name})")
            }
        }
    };
    let set: Vec<String> = columns.iter().map(|(name, target)| format!("{name} = {}", value(name, target))).collect();
    let differs: Vec<String> = columns
        .iter()
        .map(|(name, target)| format!("theirs.{name} is distinct from {}", value(name, target)))
        .collect();
    let before = format!(
        "{} as provider_now, {} as status_now, {} as word_now",
        now(catalogue, "provider_v2"),
        now(catalogue, "status_v2"),
        now(catalogue, "status")
    );
    WRITE
        .replace("{now}", &before)
        .replace("{table}", table)
        .replace("{id}", id(catalogue))
        .replace("{set}", &set.join(", "))
        .replace("{differs}", &differs.join(" or "))
}

/// The role a server is reached as.
pub async fn role_of(server: &Server) -> Result<(String, String), StoreError> {
    let mut connection: PgConnection = server.connect().await?;
    let asked = sqlx::query_as("select current_user::text, current_database()::text").fetch_one(&mut connection);
    let found = in_time(READING, asked).await?;
    connection.close().await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_be_more_than_one_is_refused() {
        assert_eq!(quoted("payment_transactions"), Ok("\"payment_transactions\"".to_owned()));
        assert_eq!(quoted("merchantId"), Ok("\"merchantId\"".to_owned()));
        let long = "x".repeat(64);
        for name in ["", "1a", "a b", "a\"; drop table x; --", "ação", long.as_str()] {
            assert_eq!(quoted(name), Err(OddName(name.to_owned())));
        }
    }
}
