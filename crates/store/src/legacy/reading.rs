//! Functions that read the application's rows: pages of them for a backfill, and counts for an audit.
//!
//! Of a row they give named columns and named paths of its stored body, cut to a length, and nothing else of that body: there are
//! card numbers in some.

use super::catalogue::{Catalogue, Column};
use super::target::{PAYMENTS, Target, Targets};

const PAGE: &str = include_str!("../../sql/legacy/page_function.sql");
const AUDIT: &str = include_str!("../../sql/legacy/audit_function.sql");
const MERCHANTS: &str = include_str!("../../sql/legacy/merchants_function.sql");
pub(super) const BACKFILLS: &str = include_str!("../../sql/legacy/backfills_table.sql");

/// What takes them away.
pub(super) const AWAY: [&str; 5] = [
    "drop function if exists afluente.legacy_payments(text, bigint, timestamptz)",
    "drop function if exists afluente.legacy_customers(text, bigint, timestamptz)",
    "drop function if exists afluente.legacy_sessions(text, bigint, timestamptz)",
    "drop function if exists afluente.legacy_audit(timestamptz)",
    "drop function if exists afluente.legacy_merchants_missing(jsonb)",
];

/// How much of one value is taken, characters.
const LONGEST: usize = 300;
/// A stored body larger than this is passed over, bytes as it is kept.
const LARGEST_BODY: usize = 1_000_000;

/// Paths of stored bodies, by what stands there.
const PATHS: [(&str, &[&str]); 6] = [
    ("found", &["payment_intent_id", "data,charges,0,id", "data,object,id", "data,id"]),
    ("customer", &["data,customer,id", "data,object,customer"]),
    (
        "body_email",
        &[
            "data,customer,email",
            "buyer,email",
            "payer,email",
            "payload,customer,email",
            "metadata,buyerEmail",
            "data,metadata,buyerEmail",
        ],
    ),
    ("document", &["data,customer,document", "payload,customer,document", "payer,cpf"]),
    ("name", &["data,customer,name", "payload,customer,name"]),
    ("word", &["status", "response,status", "data,status"]),
];

/// A table as its functions are written.
struct Table<'a> {
    catalogue: &'a Catalogue,
    /// Its name in the schema.
    name: &'static str,
    /// The schema, quoted.
    schema: &'a str,
}

impl Table<'_> {
    fn column(&self, name: &str) -> Option<&Column> {
        self.catalogue.column(self.name, name)
    }

    /// A column as a text, cut; nothing where it is not there.
    fn text(&self, name: &str) -> String {
        let quoted =
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) { format!("\"{name}\"") } else { name.to_owned() };
        match self.column(name) {
            Some(_) => format!("left(theirs.{quoted}::text, {LONGEST})"),
            None => "null::text".to_owned(),
        }
    }

    /// An id as it is, which a longer one would not be.
    fn id(&self, name: &str) -> String {
        if self.column(name).is_some() { format!("nullif(theirs.{name}::text, '')") } else { "null::text".to_owned() }
    }

    /// A column that counts something.
    fn number(&self, name: &str) -> String {
        let is_number =
            self.column(name).is_some_and(|column| matches!(&*column.type_name.1, "int2" | "int4" | "int8"));
        if is_number { format!("theirs.{name}") } else { "null::bigint".to_owned() }
    }

    /// A moment; without a zone it is UTC.
    fn moment(&self, name: &str) -> String {
        match self.column(name).map(|column| column.type_name.1.as_str()) {
            Some("timestamptz") => format!("theirs.{name}"),
            Some("timestamp") => format!("theirs.{name} at time zone 'UTC'"),
            _ => "null::timestamptz".to_owned(),
        }
    }

    fn since(&self) -> String {
        format!("(since is null or {} >= since)", self.moment("created_at"))
    }

    fn page(&self, name: &str, columns: &[(&str, String)], joins: &str) -> String {
        let id_type = self.column("id").map_or("text", |column| column.type_text.as_str());
        let columns: Vec<String> = columns.iter().map(|(name, value)| format!("'{name}', {value}")).collect();
        PAGE.replace("{name}", name)
            .replace("{id_type}", id_type)
            .replace("{table}", &self.quoted())
            .replace("{since}", &self.since())
            .replace("{columns}", &columns.join(", "))
            .replace("{joins}", joins)
    }

    fn quoted(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

/// The functions this installation has the tables for. `schema` is quoted.
pub(super) fn functions(catalogue: &Catalogue, targets: &Targets, schema: &str) -> Vec<String> {
    let table = |name| Table { catalogue, name, schema };
    let payments = table(PAYMENTS);
    let has = |name: &str| catalogue.tables.contains_key(name);
    let mut made =
        vec![payments_function(&payments, has("merchants"), has("customers")), audit_function(&payments, targets)];
    if has("customers") {
        made.push(customers_function(&table("customers"), has("customer_providers")));
    }
    if has("checkout_sessions") {
        made.push(sessions_function(&table("checkout_sessions"), has("merchants")));
    }
    if has("merchants") {
        made.push(
            MERCHANTS
                .replace("{table}", &payments.quoted())
                .replace("{merchants}", &table("merchants").quoted())
                .replace("{merchant}", &payments.id("merchant_id"))
                .replace("{clinic}", &payments.id("clinic_id"))
                .replace("{made}", &payments.moment("created_at")),
        );
    }
    made
}

fn payments_function(table: &Table<'_>, has_merchants: bool, has_customers: bool) -> String {
    let raw = match table.column("raw_payload").map(|column| column.type_name.1.as_str()) {
        Some("jsonb") => format!(
            "case when pg_column_size(theirs.raw_payload) <= {LARGEST_BODY} and jsonb_typeof(theirs.raw_payload) = 'object' \
             then theirs.raw_payload end"
        ),
        _ => "null::jsonb".to_owned(),
    };
    let has_body = if table.column("raw_payload").is_some() { "theirs.raw_payload is not null" } else { "false" };
    let mut joins = format!("\n    cross join lateral (select {raw} as body) raw");
    joins.push_str("\n    left join afluente.legacy_rows ours on ours.row_id = theirs.id::text collate \"C\"");
    let mut columns = vec![
        ("provider", table.text("provider")),
        ("order", table.id("provider_order_id")),
        ("charge", table.id("provider_charge_id")),
        ("status", as_theirs(&table.id("status"), "word")),
        ("status_v2", as_theirs(&table.id("status_v2"), "status")),
        ("amount", table.number("amount_cents")),
        ("currency", table.text("currency")),
        ("method", table.text("payment_method_type")),
        ("refunded", table.number("refunded_cents")),
        ("was_paid", format!("case when {} is not null then true end", table.moment("paid_at"))),
        ("is_stale", format!("case when {} < now() - interval '1 day' then true end", table.moment("created_at"))),
        ("clinic", table.id("clinic_id")),
        ("email", table.text("client_email")),
        ("body_passed_over", format!("case when {has_body} and raw.body is null then true end")),
    ];
    columns.extend(PATHS.iter().map(|(name, paths)| {
        let paths: Vec<String> = paths.iter().map(|path| format!("raw.body #>> '{{{path}}}'")).collect();
        (*name, format!("left(coalesce({}), {LONGEST})", paths.join(", ")))
    }));
    columns.extend(merchant(table, has_merchants));
    if has_customers && table.column("customer_id").is_some() {
        joins.push_str(&format!(
            "\n    left join {}.customers buyer on buyer.id::text = nullif(theirs.customer_id::text, '')",
            table.schema
        ));
        columns.push(("their_customer", "buyer.id::text".to_owned()));
        columns.push(("their_email", format!("left(lower(buyer.email::text), {LONGEST})")));
    }
    table.page("legacy_payments", &columns, &joins)
}

/// What the application itself had in a column: of a word of ours what stood there before.
fn as_theirs(column: &str, name: &str) -> String {
    format!(
        "case when ours.written_at is not null and ours.{name}_written = {column} then ours.{name}_before else {column} end"
    )
}

/// The merchant of a row: its own, or its clinic's.
fn merchant(table: &Table<'_>, has_merchants: bool) -> Option<(&'static str, String)> {
    let own = table.id("merchant_id");
    if !has_merchants || table.column("clinic_id").is_none() {
        return table.column("merchant_id").map(|_| ("merchant", own));
    }
    // Nothing says that a clinic has one only.
    let of_clinic = format!(
        "(select min(seller.id::text) from {}.merchants seller where seller.clinic_id::text = theirs.clinic_id::text)",
        table.schema
    );
    Some(("merchant", format!("coalesce({own}, {of_clinic})")))
}

fn customers_function(table: &Table<'_>, has_links: bool) -> String {
    let both = ["merchant_id", "merchantId"].map(|name| match table.column(name) {
        Some(_) => format!("nullif(theirs.\"{name}\"::text, '')"),
        None => "null::text".to_owned(),
    });
    let mut columns = vec![
        ("merchant", format!("coalesce({})", both.join(", "))),
        ("email", table.text("email")),
        ("document", table.text("document")),
        ("name", table.text("name")),
        ("phone", table.text("phone")),
    ];
    if has_links {
        let links = format!(
            "(select jsonb_agg(jsonb_build_object('provider', link.provider::text, 'customer', link.provider_customer_id::text) \
             order by link.id) from {}.customer_providers link \
             where link.customer_id::text = theirs.id::text and nullif(link.provider_customer_id::text, '') is not null)",
            table.schema
        );
        columns.push(("links", links));
    }
    table.page("legacy_customers", &columns, "")
}

fn sessions_function(table: &Table<'_>, has_merchants: bool) -> String {
    let mut columns = vec![
        ("order", table.id("order_id")),
        ("pix_order", table.id("pix_order_id")),
        ("payment_row", table.id("payment_transaction_id")),
        ("status", table.text("status")),
        ("email", table.text("email")),
        ("document", table.text("document")),
        ("phone", table.text("phone")),
    ];
    columns.extend(merchant(table, has_merchants));
    table.page("legacy_sessions", &columns, "")
}

/// What stands in a column of ours, or in the table beside it.
fn audit_function(table: &Table<'_>, targets: &Targets) -> String {
    let counted = |target: &Target, name: &str, aside: &str| match target {
        Target::Aside { .. } => format!("ours.{aside}"),
        Target::Enum { .. } | Target::Text | Target::Refused { .. } => format!("theirs.{name}"),
    };
    AUDIT
        .replace("{table}", &table.quoted())
        .replace("{id}", "theirs.id::text collate \"C\"")
        .replace("{provider}", &counted(&targets.provider, "provider_v2", "provider_label"))
        .replace("{status}", &counted(&targets.status, "status_v2", "status_label"))
        .replace("{since}", &table.since())
}
