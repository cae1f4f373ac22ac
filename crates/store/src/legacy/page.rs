//! The application's rows, page by page, and how far a backfill has come. Only where `adopt` made the functions.

use afluente_model::{AccountName, Timestamp};
use sqlx::FromRow;

use crate::backend::{Pool, Store, Tx, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::people::identity::account;
use crate::rows::{Statement, rows, text};

static PAYMENTS: Statement = text!("legacy/page_payments");
static CUSTOMERS: Statement = text!("legacy/page_customers");
static SESSIONS: Statement = text!("legacy/page_sessions");
static AUDIT: Statement = text!("legacy/audit");
static MISSING: Statement = text!("legacy/merchants_missing");
static ESTIMATED: Statement = text!("legacy/estimated");
static READS: Statement = text!("legacy/reads");
static PROGRESS: Statement = text!("legacy/backfill_read");
static PROGRESS_WRITE: Statement = text!("legacy/backfill_write");

rows! {
    struct NameInput<'a> {
        place: int,
        name: text,
    }
    NAMED = "legacy/named";
}

/// Whose rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Payments.
    Payments,
    /// Customers.
    Customers,
    /// Checkout sessions.
    Sessions,
}

impl Rows {
    /// The application's table.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Rows::Payments => super::target::PAYMENTS,
            Rows::Customers => "customers",
            Rows::Sessions => "checkout_sessions",
        }
    }

    /// The function that reads it, as the database knows it.
    const fn function(self) -> &'static str {
        match self {
            Rows::Payments => "afluente.legacy_payments(text, bigint, timestamptz)",
            Rows::Customers => "afluente.legacy_customers(text, bigint, timestamptz)",
            Rows::Sessions => "afluente.legacy_sessions(text, bigint, timestamptz)",
        }
    }

    const fn statement(self) -> &'static Statement {
        match self {
            Rows::Payments => &PAYMENTS,
            Rows::Customers => &CUSTOMERS,
            Rows::Sessions => &SESSIONS,
        }
    }
}

/// What is counted over all rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Shares by gateway.
    Shares,
    /// Sellers that are not there.
    Sellers,
}

impl Counted {
    const fn function(self) -> &'static str {
        match self {
            Counted::Shares => "afluente.legacy_audit(timestamptz)",
            Counted::Sellers => "afluente.legacy_merchants_missing(jsonb)",
        }
    }
}

/// A row as far as it is read.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PageRow {
    /// Its id.
    pub row_id: String,
    /// A JSON object: named columns, and values from named paths of its stored body.
    pub columns: String,
}

/// Rows of one spelling of a gateway, and what is known of them.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AuditedRows {
    /// The spelling.
    pub spelling: String,
    /// How many.
    pub found: i64,
    /// Of them, with a `provider_v2`.
    pub with_provider: i64,
    /// With a `status_v2`.
    pub with_status: i64,
    /// Whose payment is in the ledger.
    pub in_ledger: i64,
    /// Whose payment has a customer there.
    pub with_customer: i64,
}

/// Rows whose seller is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingMerchant {
    /// What is missing.
    pub kind: String,
    /// The id that leads nowhere.
    pub reference: String,
    /// How many rows.
    pub found: i64,
    /// When the newest was made.
    pub newest: Option<Timestamp>,
}

#[derive(FromRow)]
struct MissingRecord {
    kind: String,
    reference: String,
    found: i64,
    newest: Option<Moment>,
}

/// How far a backfill has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last row that was taken in.
    pub after: Option<String>,
    /// How many were.
    pub taken: i64,
    /// When it began.
    pub started_at: Timestamp,
}

#[derive(FromRow)]
struct ProgressRecord {
    after: Option<String>,
    taken: i64,
    started_at: Moment,
}

/// A payment that goes by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPayment {
    /// Which of the names.
    pub place: usize,
    /// The account.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: String,
    /// The name that stays.
    pub id: String,
    /// Whether money was taken.
    pub took_money: bool,
}

#[derive(FromRow)]
struct NamedRecord {
    place: i64,
    account: String,
    tenant: String,
    provider_payment_id: String,
    took_money: bool,
}

impl Store {
    /// Whether `adopt` made what reads these rows.
    pub async fn reads_legacy(&self, rows: Rows) -> Result<bool, StoreError> {
        self.has_function(rows.function()).await
    }

    /// Whether it made what counts them: not where its tables lack what that needs.
    pub async fn audits_legacy(&self, counted: Counted) -> Result<bool, StoreError> {
        self.has_function(counted.function()).await
    }

    async fn has_function(&self, signature: &'static str) -> Result<bool, StoreError> {
        if matches!(self.pool(), Pool::Sqlite(_)) {
            return Ok(false);
        }
        let (is_there,): (bool,) = fetch!(self, fetch_one, READS, signature)?;
        Ok(is_there)
    }

    /// The next rows by their id, at most so many, of those made since.
    pub async fn legacy_page(
        &self,
        rows: Rows,
        after: Option<&str>,
        taken: u32,
        since: Option<Timestamp>,
    ) -> Result<Vec<PageRow>, StoreError> {
        fetch!(self, fetch_all, rows.statement(), after, i64::from(taken), since.map(Moment::from))
    }

    /// Shares of the application's payment rows, of those made since.
    pub async fn legacy_audit(&self, since: Timestamp) -> Result<Vec<AuditedRows>, StoreError> {
        fetch!(self, fetch_all, AUDIT, Moment::from(since))
    }

    /// Sellers that rows or the configuration name and that are not there, the most rows first.
    pub async fn legacy_merchants_missing<'a>(
        &self,
        configured: impl Iterator<Item = &'a str>,
        limit: u32,
    ) -> Result<Vec<MissingMerchant>, StoreError> {
        let configured = serde_json::json!(configured.collect::<Vec<_>>()).to_string();
        let records: Vec<MissingRecord> = fetch!(self, fetch_all, MISSING, configured.as_str(), i64::from(limit))?;
        let read = |record: MissingRecord| {
            let newest = record.newest.map(|at| at.read(super::target::PAYMENTS, "created_at")).transpose()?;
            Ok(MissingMerchant { kind: record.kind, reference: record.reference, found: record.found, newest })
        };
        records.into_iter().map(read).collect()
    }

    /// About how many rows a table has; zero where the server does not know yet.
    pub async fn legacy_estimated(&self, schema: &str, rows: Rows) -> Result<i64, StoreError> {
        let found: Option<(i64,)> = fetch!(self, fetch_optional, ESTIMATED, schema, rows.table())?;
        Ok(found.map_or(0, |(estimated,)| estimated))
    }

    /// How far an unfinished backfill over the same rows came.
    pub async fn legacy_progress(&self, kind: &str, since: Option<Timestamp>) -> Result<Option<Progress>, StoreError> {
        let found: Option<ProgressRecord> = fetch!(self, fetch_optional, PROGRESS, kind, since.map(Moment::from))?;
        let read = |record: ProgressRecord| {
            let started_at = record.started_at.read("legacy_backfills", "started_at")?;
            Ok(Progress { after: record.after, taken: record.taken, started_at })
        };
        found.map(read).transpose()
    }

    /// Keeps how far a backfill came.
    pub async fn save_legacy_progress(
        &self,
        kind: &str,
        since: Option<Timestamp>,
        progress: &Progress,
        now: Timestamp,
        is_finished: bool,
    ) -> Result<(), StoreError> {
        let now = Moment::from(now);
        let (since, started_at) = (since.map(Moment::from), Moment::from(progress.started_at));
        let finished_at = is_finished.then_some(now);
        let _: Vec<(i64,)> = fetch!(
            self,
            fetch_all,
            PROGRESS_WRITE,
            kind,
            progress.after.as_deref(),
            since,
            progress.taken,
            started_at,
            now,
            finished_at
        )?;
        Ok(())
    }
}

impl Tx {
    /// The payments these names lead to: a payment's own, an order's, or a row's of theirs.
    pub async fn legacy_named(&mut self, names: &[(usize, &str)]) -> Result<Vec<NamedPayment>, StoreError> {
        let inputs: Vec<NameInput<'_>> = names
            .iter()
            .map(|(place, name)| NameInput { place: i64::try_from(*place).unwrap_or(i64::MAX), name })
            .collect();
        let records: Vec<NamedRecord> = self.fetch_there(&NAMED, &inputs).await?;
        let read = |record: NamedRecord| {
            Ok(NamedPayment {
                place: usize::try_from(record.place).unwrap_or(usize::MAX),
                account: account("payments", &record.account)?,
                tenant: record.tenant,
                id: record.provider_payment_id,
                took_money: record.took_money,
            })
        };
        records.into_iter().map(read).collect()
    }
}
