//! Customers as support looks for them: who, known how, paying with what.

use afluente_model::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::claim::{self, ClaimView};
use crate::backend::{Store, fetch};
use crate::cell::{Id, Moment};
use crate::error::StoreError;
use crate::payment::{self, PaymentRow};
use crate::rows::{Statement, text};
use crate::subscription::{self, SubscriptionRow};

static CUSTOMERS: Statement = text!("report/customers_select" "report/customers");
pub(crate) static FOUND: Statement = text!("report/customers_select" "report/customers_found");
pub(crate) static LINKS: Statement = text!("report/customer_links");
pub(crate) static METHODS: Statement = text!("report/customer_methods");
pub(crate) static PAYMENTS: Statement = text!("payments_select" "report/customer_payments");
pub(crate) static SUBSCRIPTIONS: Statement = text!("subscriptions_select" "report/customer_subscriptions");
pub(crate) static CLAIMS: Statement = text!("report/customer_claims");

/// A customer and how much there is of it.
#[derive(Clone, Debug)]
pub struct CustomerView {
    /// Our id.
    pub id: Uuid,
    /// The merchant whose customer it is.
    pub merchant: String,
    /// What makes it the same person: `document`, `email` or `customer` (a gateway's).
    pub key_kind: String,
    /// The value of that.
    pub key_value: String,
    /// CPF or CNPJ.
    pub document: Option<String>,
    /// The address said of it last, what the gateway's customer says of itself before what was typed at a payment.
    pub email: Option<String>,
    /// Likewise the name.
    pub name: Option<String>,
    /// Likewise the phone.
    pub phone: Option<String>,
    /// Where whoever it was went.
    pub merged_into: Option<Uuid>,
    /// Nobody is this one any more.
    pub is_vacant: bool,
    /// Counts its changes.
    pub row_version: i64,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// At how many accounts it is known.
    pub links: i64,
    /// How many payments are its own.
    pub payments: i64,
}

/// A customer at an account.
#[derive(Clone, Debug)]
pub struct LinkView {
    /// The account.
    pub account: String,
    /// The gateway's sub-account, empty for none.
    pub tenant: String,
    /// The gateway's own id of it, once known.
    pub provider_customer_id: Option<String>,
    /// What links them: `document`, `email`, `customer` or `operator`.
    pub linked_by: String,
    /// When that was written last.
    pub updated_at: Timestamp,
}

/// Something a customer pays with.
#[derive(Clone, Debug)]
pub struct MethodView {
    /// The account.
    pub account: String,
    /// The gateway's sub-account, empty for none.
    pub tenant: String,
    /// The gateway's id, where it keeps one.
    pub provider_method_id: Option<String>,
    /// CARD, PIX, BOLETO, ACCOUNT or OTHER; empty where nobody said.
    pub kind: String,
    /// The card's brand in the gateway's word, empty where not said.
    pub brand: String,
    /// Its last four digits, likewise.
    pub last4: String,
    /// Its last month, `2031-07`, likewise.
    pub expiry: String,
    /// ACTIVE, DETACHED or DELETED.
    pub state: String,
    /// Whether it is the one to be used.
    pub is_default: bool,
    /// When it was paid with last.
    pub used_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct Record {
    id: Id,
    merchant: String,
    key_kind: String,
    key_value: String,
    document: Option<String>,
    email: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    merged_into: Option<Id>,
    vacant: bool,
    row_version: i64,
    created_at: Moment,
    updated_at: Moment,
    links: i64,
    payments: i64,
}

#[derive(FromRow)]
struct LinkRecord {
    account: String,
    tenant: String,
    provider_customer_id: Option<String>,
    linked_by: Option<String>,
    updated_at: Moment,
}

#[derive(FromRow)]
struct MethodRecord {
    account: String,
    tenant: String,
    provider_method_id: Option<String>,
    kind: String,
    brand: String,
    last4: String,
    expiry: String,
    state: String,
    is_default: bool,
    used_at: Option<Moment>,
}

/// What somebody is looked for by: the text as it was given, the same as a document, and as an id of ours.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// An address, a gateway's customer, a payment.
    pub text: &'a str,
    /// A document without its punctuation.
    pub document: &'a str,
    /// An id of ours.
    pub id: Option<Uuid>,
}

impl Store {
    /// Customers somebody is, the latest change first.
    pub async fn customers(&self, merchant: Option<&str>, limit: u32) -> Result<Vec<CustomerView>, StoreError> {
        let records: Vec<Record> = fetch!(self, fetch_all, CUSTOMERS, merchant, i64::from(limit))?;
        records.into_iter().map(CustomerView::try_from).collect()
    }

    /// Whoever is known by this.
    pub async fn customers_found(&self, who: Who<'_>, limit: u32) -> Result<Vec<CustomerView>, StoreError> {
        let records: Vec<Record> = fetch!(self, fetch_all, FOUND, who.id, who.text, who.document, i64::from(limit))?;
        records.into_iter().map(CustomerView::try_from).collect()
    }

    /// Where it is known, by account.
    pub async fn links_of(&self, customer: Uuid) -> Result<Vec<LinkView>, StoreError> {
        let records: Vec<LinkRecord> = fetch!(self, fetch_all, LINKS, customer)?;
        records.into_iter().map(LinkView::try_from).collect()
    }

    /// What it pays with; what may be used first.
    pub async fn methods_of(&self, customer: Uuid) -> Result<Vec<MethodView>, StoreError> {
        let records: Vec<MethodRecord> = fetch!(self, fetch_all, METHODS, customer)?;
        records.into_iter().map(MethodView::try_from).collect()
    }

    /// Its payments, the latest change first.
    pub async fn payments_of(&self, customer: Uuid, limit: u32) -> Result<Vec<PaymentRow>, StoreError> {
        let rows: Vec<payment::Record> = fetch!(self, fetch_all, PAYMENTS, customer, i64::from(limit))?;
        rows.into_iter().map(PaymentRow::try_from).collect()
    }

    /// Its subscriptions, the latest change first.
    pub async fn subscriptions_of(&self, customer: Uuid, limit: u32) -> Result<Vec<SubscriptionRow>, StoreError> {
        let rows: Vec<subscription::Record> = fetch!(self, fetch_all, SUBSCRIPTIONS, customer, i64::from(limit))?;
        rows.into_iter().map(SubscriptionRow::try_from).collect()
    }

    /// What was said of it, of its payments and of its methods, the newest first.
    pub async fn claims_of_customer(&self, customer: Uuid, limit: u32) -> Result<Vec<ClaimView>, StoreError> {
        let rows: Vec<claim::Record> = fetch!(self, fetch_all, CLAIMS, customer, i64::from(limit))?;
        rows.into_iter().map(ClaimView::try_from).collect()
    }
}

impl TryFrom<Record> for CustomerView {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<CustomerView, StoreError> {
        Ok(CustomerView {
            id: row.id.into(),
            merchant: row.merchant,
            key_kind: row.key_kind,
            key_value: row.key_value,
            document: row.document,
            email: row.email,
            name: row.name,
            phone: row.phone,
            merged_into: row.merged_into.map(Uuid::from),
            is_vacant: row.vacant,
            row_version: row.row_version,
            created_at: row.created_at.read("customers", "created_at")?,
            updated_at: row.updated_at.read("customers", "updated_at")?,
            links: row.links,
            payments: row.payments,
        })
    }
}

impl TryFrom<LinkRecord> for LinkView {
    type Error = StoreError;

    fn try_from(row: LinkRecord) -> Result<LinkView, StoreError> {
        Ok(LinkView {
            account: row.account,
            tenant: row.tenant,
            provider_customer_id: row.provider_customer_id,
            linked_by: row.linked_by.unwrap_or_default(),
            updated_at: row.updated_at.read("customer_providers", "updated_at")?,
        })
    }
}

impl TryFrom<MethodRecord> for MethodView {
    type Error = StoreError;

    fn try_from(row: MethodRecord) -> Result<MethodView, StoreError> {
        Ok(MethodView {
            account: row.account,
            tenant: row.tenant,
            provider_method_id: row.provider_method_id,
            kind: row.kind,
            brand: row.brand,
            last4: row.last4,
            expiry: row.expiry,
            state: row.state,
            is_default: row.is_default,
            used_at: row.used_at.map(|at| at.read("payment_methods", "used_at")).transpose()?,
        })
    }
}
