//! How much of what is owed stands in the ledger: shares of payments and sessions, by gateway.

use afluente_model::Timestamp;
use sqlx::FromRow;

use crate::backend::{Store, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::rows::{Statement, text};

static PAYMENTS: Statement = text!("report/audit_payments");
static SESSIONS: Statement = text!("report/audit_sessions");

/// Payments of one gateway, and what is known of them.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AuditedPayments {
    /// The gateway, as stored.
    pub provider_v2: String,
    /// How many.
    pub payments: i64,
    /// Of them, with a customer.
    pub with_customer: i64,
    /// Whose customer is known by the gateway's own id at the payment's account.
    pub with_link: i64,
    /// With a status that is not UNKNOWN.
    pub with_status: i64,
    /// With what was paid with.
    pub with_method: i64,
}

/// Completed checkout sessions of one gateway.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AuditedSessions {
    /// The gateway, as stored.
    pub provider_v2: String,
    /// How many.
    pub sessions: i64,
    /// Of them, whose payment or subscription is in the ledger.
    pub with_payment: i64,
}

impl Store {
    /// Payments of which something was said since, of one merchant or of all; since the beginning of time also those of which
    /// nobody knows when. Walks the tables: for people and not for metrics.
    pub async fn audit_payments(
        &self,
        since: Timestamp,
        merchant: Option<&str>,
    ) -> Result<Vec<AuditedPayments>, StoreError> {
        fetch!(self, fetch_all, PAYMENTS, Moment::from(since), merchant, since == Timestamp::EPOCH)
    }

    /// Sessions completed since, likewise.
    pub async fn audit_sessions(
        &self,
        since: Timestamp,
        merchant: Option<&str>,
    ) -> Result<Vec<AuditedSessions>, StoreError> {
        fetch!(self, fetch_all, SESSIONS, Moment::from(since), merchant)
    }
}
