//! Making what a dual write needs, and taking it away: a role with the rights to named columns, two functions, a table of ours.
//!
//! Names come from the catalogue, are held against a pattern, quoted and used once, here. What the functions say afterwards is
//! fixed text; an application that changes its tables makes the next call fail, and nothing of its own.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::catalogue::Catalogue;
use super::reading;
use super::target::{PAYMENTS, Target, Targets};
use crate::claim::key_of;
use crate::error::StoreError;
use crate::postgres::{READING, Server, in_time};
use crate::rows::{Statement, text};

static READY: Statement = text!("legacy/ready");
static GRANTED: Statement = text!("legacy/granted");

const ROWS_TABLE: &str = include_str!("../../sql/legacy/rows_table.sql");
const FUNCTIONS_AWAY: [&str; 2] =
    ["drop function if exists afluente.legacy_find(jsonb)", "drop function if exists afluente.legacy_write(jsonb)"];
const TABLES_AWAY: [&str; 2] =
    ["drop table if exists afluente.legacy_rows", "drop table if exists afluente.legacy_backfills"];
const RIGHTS_AWAY: &str = include_str!("../../sql/legacy/rights_away.sql");
const EXAMPLE: &str = include_str!("../../sql/legacy/example.sql");
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
    /// What puts back what stood in each column before us.
    pub given_back: Vec<String>,
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

/// Roles are the whole server's: one for each database, under a name that fits.
fn role_for(database: &str) -> String {
    let name = format!("afluente_legacy_{database}");
    if name.len() <= 63 {
        return name;
    }
    let [first, second, third, fourth, ..] = key_of([database].into_iter());
    let end = name.floor_char_boundary(54);
    format!("{}_{first:02x}{second:02x}{third:02x}{fourth:02x}", &name[..end])
}

impl Adoption {
    /// By what is there. `writes_status` gives the right to the application's own status column as well.
    pub fn of(
        catalogue: &Catalogue,
        targets: &Targets,
        roles: &Roles,
        writes_status: bool,
    ) -> Result<Adoption, OddName> {
        let role = role_for(&roles.database);
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
        rights.push(format!("grant {role} to {}", quoted(&roles.ledger)?));
        let table = format!("{schema}.{PAYMENTS}");
        let mut made = vec![ROWS_TABLE.to_owned(), find_function(catalogue, targets, &table)];
        if !columns_written(targets, writes_status).is_empty() {
            made.push(write_function(catalogue, targets, &table, writes_status));
        }
        made.push(reading::BACKFILLS.to_owned());
        made.extend(reading::functions(catalogue, targets, &schema));
        // Whoever takes it away reads what stood there before.
        let admin = quoted(&roles.admin)?;
        made.push(format!("grant usage on schema afluente to {admin}"));
        made.push(format!("grant select on afluente.legacy_rows to {admin}"));
        // Whatever may have been written once, whether it is asked for now or not.
        let given_back =
            written(targets, true).into_iter().map(|column| give_back(catalogue, &table, column)).collect();
        Ok(Adoption { role, rights, made, given_back })
    }

    /// Makes all of it: the rights as somebody who may give them, the rest as the ledger's own role. Again changes nothing but
    /// what is different since.
    pub async fn apply(&self, admin: &Server, ledger: &Server) -> Result<(), StoreError> {
        functions_away(ledger).await?;
        undo_rights(admin, &self.role).await?;
        all(admin, &self.rights).await?;
        let kept = are_rows_kept(ledger).await?;
        all(ledger, if kept { &self.made[1..] } else { &self.made[..] }).await
    }

    /// What takes the rights away.
    #[must_use]
    pub fn rights_away(&self) -> String {
        rights_away(&self.role)
    }

    /// What takes away what was made for the ledger's own role.
    #[must_use]
    pub fn made_away() -> Vec<&'static str> {
        [&FUNCTIONS_AWAY[..], &reading::AWAY, &TABLES_AWAY].concat()
    }

    /// Takes all of it away. Before that every word of ours that still stands in theirs gives way to what stood there before us.
    pub async fn undo(&self, admin: &Server, ledger: &Server) -> Result<(), StoreError> {
        if are_rows_kept(ledger).await? {
            all(admin, &self.given_back).await?;
        }
        undo_made(ledger).await?;
        undo_rights(admin, &self.role).await
    }
}

/// Of the words written last those that still stand there: what somebody else wrote since is his.
fn give_back(catalogue: &Catalogue, table: &str, (name, target): (&'static str, &Target)) -> String {
    let (before, written) = match name {
        "provider_v2" => ("provider_before", "provider_written"),
        "status_v2" => ("status_before", "status_written"),
        _ => ("word_before", "word_written"),
    };
    let cast = match target {
        Target::Enum { cast, .. } => format!("::{cast}"),
        Target::Text | Target::Aside { .. } | Target::Refused { .. } => String::new(),
    };
    format!(
        "update {table} theirs set {name} = ours.{before}{cast} from afluente.legacy_rows ours \
         where {} = ours.row_id and ours.{written} is not null and theirs.{name}::text = ours.{written} \
           and theirs.{name}::text is distinct from ours.{before}",
        id(catalogue)
    )
}

async fn are_rows_kept(ledger: &Server) -> Result<bool, StoreError> {
    let mut connection: PgConnection = ledger.connect().await?;
    let asked = sqlx::query_as::<_, (bool, bool, bool)>(READY.postgres).fetch_one(&mut connection);
    let (_, _, has_rows) = in_time(READING, asked).await?;
    connection.close().await?;
    Ok(has_rows)
}

async fn undo_made(ledger: &Server) -> Result<(), StoreError> {
    all(ledger, &Adoption::made_away()).await
}

async fn functions_away(ledger: &Server) -> Result<(), StoreError> {
    all(ledger, &[&FUNCTIONS_AWAY[..], &reading::AWAY].concat()).await
}

/// A role with rights to something is not dropped: they go first.
async fn undo_rights(admin: &Server, role: &str) -> Result<(), StoreError> {
    all(admin, &[rights_away(role)]).await
}

fn rights_away(role: &str) -> String {
    RIGHTS_AWAY.replace("{role}", role.trim_matches('"')).replace("{quoted}", role)
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
    let takes = |(name, target): &(&str, &Target)| target.is_written() && (writes_status || *name != "status");
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

/// An application's table with a row for each of so many payments, made and adopted in a database that is there to be measured on.
pub async fn example(server: &Server, payments: usize) -> Result<Targets, StoreError> {
    all(server, &[EXAMPLE.replace("{payments}", &payments.to_string())]).await?;
    let catalogue = Catalogue::read(server, "public").await?;
    let odd = |reason: String| StoreError::Open { what: server.to_string(), reason };
    let targets = Targets::of(&catalogue).map_err(|unfit| odd(format!("{unfit:?}")))?;
    let roles = Roles::of(server, server).await?;
    let adoption = Adoption::of(&catalogue, &targets, &roles, false).map_err(|name| odd(name.to_string()))?;
    all(server, &adoption.made).await?;
    Ok(targets)
}

/// What a process lacks to write beside an application, each as a sentence; nothing where all is there.
pub async fn lacks(
    ledger: &Server,
    schema: &str,
    targets: &Targets,
    writes_status: bool,
) -> Result<Vec<String>, StoreError> {
    let mut connection: PgConnection = ledger.connect().await?;
    let asked = sqlx::query_as::<_, (bool, bool, bool)>(READY.postgres).fetch_one(&mut connection);
    let (has_find, has_write, has_rows) = in_time(READING, asked).await?;
    let granted = sqlx::query_as::<_, (String, bool, bool)>(GRANTED.postgres).bind(schema).fetch_all(&mut connection);
    let granted = in_time(READING, granted).await?;
    connection.close().await?;
    let columns = columns_written(targets, writes_status);
    let made = has_find && has_rows && (has_write || columns.is_empty());
    let mut lacks: Vec<String> = Vec::new();
    lacks.extend((!made).then(|| "the functions of `afluente adopt --apply` are not there".to_owned()));
    let may = |name: &str, write: bool| {
        granted.iter().any(|(column, may_read, may_write)| column == name && if write { *may_write } else { *may_read })
    };
    let mut keys = vec!["id", "provider", "provider_order_id"];
    keys.extend(targets.has_charges.then_some("provider_charge_id"));
    let unread = keys.into_iter().chain(columns.iter().copied()).filter(|name| !may(name, false));
    lacks.extend(unread.map(|name| format!("the right to read {PAYMENTS}.{name} is missing")));
    let unwritten = columns.iter().filter(|name| !may(name, true));
    lacks.extend(unwritten.map(|name| format!("the right to update {PAYMENTS}.{name} is missing")));
    Ok(lacks)
}

/// Who does what, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    /// The database both are in.
    pub database: String,
    /// As whom the ledger is written.
    pub ledger: String,
    /// Who may give rights to the application's tables.
    pub admin: String,
}

impl Roles {
    /// As whom these two are reached. They have to be one database.
    pub async fn of(admin: &Server, ledger: &Server) -> Result<Roles, StoreError> {
        let ((admin, there), (ledger, here)) = (role_of(admin).await?, role_of(ledger).await?);
        if there == here {
            return Ok(Roles { database: here, ledger, admin });
        }
        let reason = format!("the ledger is in the database {here}, and {admin} is let into {there}");
        Err(StoreError::Open { what: "for adoption".to_owned(), reason })
    }
}

async fn role_of(server: &Server) -> Result<(String, String), StoreError> {
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
    fn a_role_is_named_after_its_database_however_long_that_is_called() {
        assert_eq!(role_for("shop"), "afluente_legacy_shop");
        let [one, other] = ["a", "b"].map(|last| role_for(&format!("{}{last}", "x".repeat(62))));
        assert!(one.len() == 63 && quoted(&one).is_ok() && one != other, "{one} {other}");
    }

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
