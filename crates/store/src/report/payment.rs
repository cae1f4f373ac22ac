//! Payments as operators look for them.

use afluente_model::{PaymentKind, PaymentStatus, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::fact::{self, StoredFact};
use crate::payment::{self, PaymentRow};
use crate::rows::{Statement, text};

static PAYMENTS: Statement = text!("payments_select" "report/payments");
pub(crate) static NAMED: Statement = text!("payments_select" "report/payments_named");
static AFTER: Statement = text!("payments_select" "report/payments_after");
static LIKE: Statement = text!("report/payments_like");
pub(crate) static FACTS: Statement = text!("facts_select" "report/payment_facts");
pub(crate) static RECEIPTS: Statement = text!("report/payment_receipts");
static RECEIPTS_OF_EVENTS: Statement = text!("report/receipts_of_events");

/// Which payments, newest change first.
#[derive(Clone, Debug, Default)]
pub struct PaymentFilter {
    /// Of this account.
    pub account: Option<String>,
    /// In this status.
    pub status: Option<PaymentStatus>,
    /// At most this many.
    pub limit: u32,
}

/// A receipt without its body.
#[derive(Clone, Debug)]
pub struct ReceiptView {
    /// The receipt.
    pub id: Uuid,
    /// When ingress received it.
    pub received_at: Timestamp,
    /// The gateway's event id with its kind.
    pub event_id: Option<String>,
    /// The gateway's word for what happened.
    pub event_type: String,
    /// APPLIED, IGNORED, …
    pub state: String,
    /// What was proved.
    pub proof: String,
    /// By which secret or peer.
    pub proved_by: Option<String>,
    /// What could not be read of it, as a JSON list of texts.
    pub notes: Option<String>,
    /// How often the same came.
    pub deliveries: i64,
}

#[derive(FromRow)]
struct ReceiptRecord {
    id: Uuid,
    received_at: Moment,
    event_id: Option<String>,
    event_type: String,
    state: String,
    proof: String,
    proved_by: Option<String>,
    notes: Option<String>,
    deliveries: i64,
}

impl Store {
    /// The payments that match.
    pub async fn payments(&self, filter: &PaymentFilter) -> Result<Vec<PaymentRow>, StoreError> {
        let rows: Vec<payment::Record> = fetch!(
            self,
            fetch_all,
            PAYMENTS,
            filter.account.as_deref(),
            filter.status.map(PaymentStatus::as_str),
            i64::from(filter.limit)
        )?;
        rows.into_iter().map(PaymentRow::try_from).collect()
    }

    /// The payments whose gateway id is this, or that have this as another name, newest change first.
    pub async fn payments_named(&self, reference: &str, limit: u32) -> Result<Vec<PaymentRow>, StoreError> {
        let rows: Vec<payment::Record> = fetch!(self, fetch_all, NAMED, reference, i64::from(limit))?;
        rows.into_iter().map(PaymentRow::try_from).collect()
    }

    /// Payments in the order of their ids, after one, for walking through all of them.
    pub async fn payments_after(&self, after: Uuid, limit: u32) -> Result<Vec<PaymentRow>, StoreError> {
        let rows: Vec<payment::Record> = fetch!(self, fetch_all, AFTER, after, i64::from(limit))?;
        rows.into_iter().map(PaymentRow::try_from).collect()
    }

    /// Every fact of a payment, in the order they were recorded.
    pub async fn payment_facts(&self, payment: Uuid) -> Result<Vec<StoredFact<PaymentKind>>, StoreError> {
        let rows: Vec<fact::Record> = fetch!(self, fetch_all, FACTS, payment)?;
        rows.into_iter().map(|row| row.read("payment_facts")).collect()
    }

    /// The receipts the facts of a payment were read in.
    pub async fn payment_receipts(&self, payment: Uuid) -> Result<Vec<ReceiptView>, StoreError> {
        let rows: Vec<ReceiptRecord> = fetch!(self, fetch_all, RECEIPTS, payment)?;
        rows.into_iter()
            .map(|row| {
                Ok(ReceiptView {
                    id: row.id,
                    received_at: row.received_at.read("webhook_receipts", "received_at")?,
                    event_id: row.event_id,
                    event_type: row.event_type,
                    state: row.state,
                    proof: row.proof,
                    proved_by: row.proved_by,
                    notes: row.notes,
                    deliveries: row.deliveries,
                })
            })
            .collect()
    }

    /// The gateway ids of an account's payments that begin like this.
    pub async fn payments_named_like(&self, account: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        let names: Vec<(String,)> = fetch!(self, fetch_all, LIKE, account, prefix)?;
        Ok(names.into_iter().map(|(name,)| name).collect())
    }

    /// How often each of these gateway events was recorded as a receipt: for proving that none is missing or doubled.
    pub async fn receipts_of_events(&self, account: &str) -> Result<Vec<(String, i64)>, StoreError> {
        fetch!(self, fetch_all, RECEIPTS_OF_EVENTS, account)
    }
}
